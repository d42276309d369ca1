import { shownDuration } from './duration.ts';
import type { Destination, Outcome } from './types.ts';

/** Limits from there on are none (Istio writes 2^32-1). */
export const UNLIMITED = 2 ** 31;

/** What a client gets instead of the upstream's answer: Envoy's statuses and flags. */
export function failures({ limits, endpoints }: Destination, { timeouts, retries }: Pick<Outcome, 'timeouts' | 'retries'>): string[] {
  const out = [`503 (UF): no connection within ${shownDuration(limits.connectTimeout)}`];
  if (timeouts !== undefined && timeouts.total > 0) out.push(`504 (UT): no whole answer within ${shownDuration(timeouts.total)}`);
  if (timeouts !== undefined && timeouts.perTry > 0)
    out.push(`504 (UT): no answer to the last attempt within ${shownDuration(timeouts.perTry)}`);
  if (limits.maxPendingRequests < UNLIMITED) out.push(`503 (UO): more than ${limits.maxPendingRequests} requests wait for a connection`);
  if (limits.maxRequests < UNLIMITED) out.push(`503 (UO): more than ${limits.maxRequests} requests are under way`);
  if (retries !== undefined) out.push(`the last answer (URX), when all ${retries.attempts + 1} attempts fail`);
  if (endpoints.length > 0) out.push('503 (UH): no endpoint is left');
  return out;
}
