/** Lets what an Envoy has in hand finish. */
import type { EnvoyAdmin } from './admin.ts';

const LOOK_MS = 50;
/** Twice in a row without anything in flight: a request may lie between two counters for a moment. */
const QUIET_LOOKS = 2;

/**
 * Clients are told to go (`Connection: close`, GOAWAY), the listeners take no new connections, and requests and TCP connections in flight
 * finish. Resolves when there are none any more, after `deadlineMs`, or when `cut` says so.
 *
 * https://www.envoyproxy.io/docs/envoy/latest/operations/admin#post--healthcheck-fail
 */
export async function drainEnvoy(admin: EnvoyAdmin, deadlineMs: number, cut: () => boolean): Promise<void> {
  const end = Date.now() + deadlineMs;
  await admin.send('POST', '/healthcheck/fail').catch(() => undefined);
  await admin.send('POST', '/drain_listeners').catch(() => undefined);
  for (let quiet = 0; quiet < QUIET_LOOKS && Date.now() < end && !cut(); ) {
    quiet = (await inFlight(admin)) === 0 ? quiet + 1 : 0;
    if (quiet < QUIET_LOOKS) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Requests, and connections that carry no HTTP. The admin API's own do not count. */
async function inFlight(admin: EnvoyAdmin): Promise<number> {
  const sums = { requests: 0, connections: 0, http: 0 };
  for (const [name, value] of await admin.stats('downstream_(rq|cx)_active$')) {
    if (/^(?:http|listener)\.admin\./.test(name)) continue;
    if (/^http\..*\.downstream_rq_active$/.test(name)) sums.requests += value;
    else if (/^http\..*\.downstream_cx_active$/.test(name)) sums.http += value;
    // Those of single workers are named by them.
    else if (/^listener\..*\.downstream_cx_active$/.test(name) && !/\.worker_\d+\./.test(name)) sums.connections += value;
  }
  return sums.requests + Math.max(0, sums.connections - sums.http);
}
