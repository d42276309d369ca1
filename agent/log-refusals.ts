/** Refused requests and connections in the agent's log: who asked for what, which policy or which TLS setting said no, and its line. */
import type { RequestRecord } from '../src/telemetry/request-record.ts';
import type { Agent } from './agent.ts';
import type { Log } from './log.ts';
import { refusalOf } from './refusal-note.ts';

/** Lines a second: a log that a client can fill at will is a way to attack. */
const MOST = 20;
const SECOND = 1000;

/** @param now milliseconds, for tests */
export function logRefusals(
  agent: Pick<Agent, 'engine' | 'controller'>,
  log: Log,
  now: () => number = performance.now.bind(performance),
): void {
  let since = now();
  let told = 0;
  let untold = 0;
  agent.engine.onRecord((record) => {
    const refusal = refusalOf(record, agent.controller);
    if (refusal === undefined) return;
    if (now() - since >= SECOND) {
      if (untold > 0) log.warning('more was refused', { count: untold });
      [since, told, untold] = [now(), 0, 0];
    }
    if (++told > MOST) untold++;
    else log.warning(refusal.text, fieldsOf(record, refusal.where));
  });
}

/** No query: that is where clients put secrets. */
function fieldsOf(record: RequestRecord, where: string | undefined): Record<string, unknown> {
  const { proxy, protocol, method, authority, path, status, peerPrincipal } = record;
  return {
    proxy,
    ...(protocol === 'TCP' ? { to: record.downstreamLocalAddress } : { method, url: `${authority}${path.split('?')[0]}`, status }),
    from: record.downstreamRemoteAddress,
    ...(peerPrincipal ? { principal: peerPrincipal } : {}),
    ...(where ? { at: where } : {}),
  };
}
