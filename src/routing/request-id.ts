import { removeHeader, setHeader } from './header-mutation.ts';
import type { Fraction } from './types.ts';

/** Settings of the connection manager for x-request-id, and of Envoy's UUID extension. */
export interface RequestIdOptions {
  generate: boolean;
  preserveExternal: boolean;
  /** Keep the reason for tracing in the id's 15th character. */
  packTraceReason: boolean;
  useForSampling: boolean;
  /** HCM tracing; undefined: none. */
  sampling: { client: Fraction; random: Fraction; overall: Fraction } | undefined;
}

/** Envoy's 15th character of an id: why it is traced. */
const REASON = { none: '4', sampled: '9', forced: 'a', client: 'b' } as const;
const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

/**
 * Sets x-request-id on a request's headers, in place, and returns it (empty without one). An id that came with an edge request
 * (external, use_remote_address) is replaced unless preserve_external_request_id. `makeUuid` gives a version 4 UUID.
 */
export function applyRequestId(headers: string[], edge: boolean, options: RequestIdOptions, makeUuid: () => string): string {
  let id = '';
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === 'x-request-id') id = headers[i + 1]!;
  if (options.generate) {
    if (id === '' || (edge && !options.preserveExternal)) {
      id = makeUuid();
      setHeader(headers, 'x-request-id', id);
    } else if (edge && options.packTraceReason) id = setReason(headers, id, REASON.none);
  }
  return options.sampling === undefined ? id : sample(headers, id, options);
}

/** Envoy: mutateTracingRequestHeader. Only ids that are UUIDs take part. */
function sample(headers: string[], id: string, options: RequestIdOptions): string {
  if (!options.useForSampling || !options.packTraceReason || !uuid.test(id)) return id;
  const { client, random, overall } = options.sampling!;
  const dice = Number.parseInt(id.slice(0, 8), 16) % 10_000;
  const takes = (fraction: Fraction): boolean => dice % fraction.denominator < fraction.numerator;
  let reason = id[14]!;
  if (reason !== REASON.sampled && reason !== REASON.forced && reason !== REASON.client) {
    if (has(headers, 'x-client-trace-id') && takes(client)) reason = REASON.client;
    else if (has(headers, 'x-envoy-force-trace')) reason = REASON.forced;
    else if (takes(random)) reason = REASON.sampled;
    else return id;
  }
  if (!takes(overall)) reason = REASON.none;
  return setReason(headers, id, reason);
}

function setReason(headers: string[], id: string, reason: string): string {
  if (!uuid.test(id) || id[14] === reason) return id;
  const changed = `${id.slice(0, 14)}${reason}${id.slice(15)}`;
  setHeader(headers, 'x-request-id', changed);
  return changed;
}

const has = (headers: readonly string[], name: string): boolean => {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return true;
  return false;
};

/** always_set_request_id_in_response: the response carries the request's id. */
export function applyResponseRequestId(headers: string[], id: string): void {
  removeHeader(headers, 'x-request-id');
  if (id !== '') headers.push('x-request-id', id);
}
