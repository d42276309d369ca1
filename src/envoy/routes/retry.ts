import type { RetryPolicyJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { parseDuration } from '../../config/duration.ts';
import type { HTTPRetry } from '../../config/kinds/networking.ts';
import { getOrMake } from '../../mesh/memo.ts';
import { typed } from '../any.ts';
import { envoyDuration } from '../duration.ts';

const builtInConditions = 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes';
const builtInAttempts = 2;

const previousHosts = {
  name: 'envoy.retry_host_predicates.previous_hosts',
  typedConfig: typed('envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate'),
};

const previousPriorities = {
  name: 'envoy.retry_priorities.previous_priorities',
  typedConfig: typed('envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig', { updateFrequency: 2 }),
};

/** Numbers among the conditions are status codes: they move to their own list, which a condition of its own turns on. */
function conditions(text: string): { retryOn: string; codes: number[] } {
  const words: string[] = [];
  const codes: number[] = [];
  for (const part of text.split(',')) {
    const word = part.trim();
    if (/^[1-5]\d\d$/.test(word)) codes.push(Number(word));
    else if (word !== '') words.push(word);
  }
  if (codes.length > 0 && !words.includes('retriable-status-codes')) words.push('retriable-status-codes');
  return { retryOn: words.join(','), codes };
}

function optional(text: string | undefined): string | undefined {
  const ms = text === undefined ? undefined : parseDuration(text);
  return ms ? envoyDuration(ms) : undefined;
}

function policyOf(source: HTTPRetry, hashed: boolean): RetryPolicyJson | undefined {
  const attempts = source.attempts ?? 0;
  if (attempts <= 0) return undefined;
  const { retryOn, codes } = conditions(source.retryOn || builtInConditions);
  const perTryTimeout = optional(source.perTryTimeout);
  const baseInterval = optional(source.backoff);
  const avoidPrevious = source.retryIgnorePreviousHosts ?? !hashed;
  return {
    retryOn,
    numRetries: attempts,
    ...(codes.length > 0 && { retriableStatusCodes: codes }),
    ...(perTryTimeout && { perTryTimeout }),
    ...(baseInterval && { retryBackOff: { baseInterval } }),
    ...(avoidPrevious && { retryHostPredicate: [previousHosts] }),
    ...(source.retryRemoteLocalities && { retryPriority: previousPriorities }),
    hostSelectionRetryMaxAttempts: '5',
  };
}

/** Policies are many routes' own: each source gives one object, or one for hashed routes and one for others. */
const plain = new WeakMap<HTTPRetry, { policy: RetryPolicyJson | undefined }>();
const forHashed = new WeakMap<HTTPRetry, { policy: RetryPolicyJson | undefined }>();
const builtIn: HTTPRetry = Object.freeze({ attempts: builtInAttempts });

/**
 * A route's retry policy: the rule's, else the mesh's default, else Istio's built-in one. undefined: no retries at all.
 *
 * @param hashed the route's only destination uses consistent hashing: a retry then goes to the same host again
 */
export function retryPolicy(rule: HTTPRetry | undefined, meshDefault: HTTPRetry | undefined, hashed: boolean): RetryPolicyJson | undefined {
  const source = rule ?? meshDefault ?? builtIn;
  return getOrMake(hashed ? forHashed : plain, source, () => ({ policy: policyOf(source, hashed) })).policy;
}
