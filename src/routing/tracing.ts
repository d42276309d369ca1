import type { HttpConnectionManager_TracingJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { ProblemList } from './problems.ts';

/**
 * Trace context headers: W3C (traceparent, tracestate) and B3, single and multi. Without a tracer Envoy hands them on untouched,
 * and so do we: they are ordinary headers on their way up. This names them for records and logs.
 */
export const TRACE_HEADERS = [
  'traceparent',
  'tracestate',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
] as const;

/**
 * Checks a connection manager's tracing settings. Istio writes sampling without a provider: nothing is traced then, and the
 * settings only feed the sampling bits of x-request-id. A provider is refused.
 */
export function checkTracing(json: HttpConnectionManager_TracingJson | undefined, path: string, problems: ProblemList): void {
  if (json?.provider !== undefined) problems.unsupported(`${path}.provider`, `spans are not sent (${json.provider.name ?? 'unnamed'})`);
}

/** The trace id that a request came with, for logs: W3C before B3; undefined without one. */
export function traceIdOf(header: (name: string) => string | undefined): string | undefined {
  const w3c = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/.exec(header('traceparent') ?? '');
  if (w3c !== null) return w3c[1];
  const single = /^([\da-f]{16}|[\da-f]{32})-/.exec(header('b3') ?? '');
  return single?.[1] ?? header('x-b3-traceid');
}
