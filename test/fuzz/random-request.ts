/** Random requests that a client may send, odd but well-formed. */
import type { Random } from '../config/random.ts';
import type { FuzzRequest } from './types.ts';
import { HEADER_VALUES, HEADERS, HOSTS, PATHS, QUERIES } from './words.ts';

/** Headers that mean something to a proxy. */
const SPECIAL: readonly [string, string][] = [
  ['connection', 'close'],
  ['connection', 'keep-alive, x-a'],
  ['connection', 'x-b'],
  ['te', 'trailers'],
  ['te', 'trailers, deflate'],
  ['te', 'gzip'],
  ['keep-alive', 'timeout=5'],
  ['proxy-connection', 'keep-alive'],
  ['proxy-authorization', 'Basic eDp5'],
  ['via', '1.1 other'],
  ['forwarded', 'for=1.2.3.4'],
  ['x-request-id', 'given'],
  ['x-request-id', '0b0b1d1a-6d4c-4b9e-8a00-2b1f6a5f0001'],
  ['x-envoy-upstream-rq-timeout-ms', '5000'],
  ['x-envoy-retry-on', '5xx'],
  ['x-envoy-max-retries', '1'],
  ['x-envoy-attempt-count', '7'],
  ['x-envoy-original-path', '/mine'],
  ['x-envoy-decorator-operation', 'mine'],
  ['x-envoy-internal', 'true'],
  ['x-envoy-external-address', '9.9.9.9'],
  ['x-envoy-expected-rq-timeout-ms', '15'],
  ['x-envoy-downstream-service-cluster', 'mine'],
  ['x-forwarded-host', 'other.test'],
  ['x-forwarded-port', '99'],
  ['x-forwarded-client-cert', 'By=x'],
  ['x-b3-traceid', '80f198ee56343ba864fe8b2a57d3eff7'],
  ['traceparent', '00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01'],
  ['b3', '0'],
  ['origin', 'http://o.test'],
  ['access-control-request-method', 'PUT'],
  ['access-control-request-headers', 'x-a'],
  ['expect', '100-continue'],
  ['if-none-match', '"e"'],
  ['range', 'bytes=0-1'],
  ['accept-encoding', 'gzip'],
  ['max-forwards', '1'],
  ['authorization', 'Bearer x'],
  ['upgrade-insecure-requests', '1'],
  ['x_under_score', '1'],
  ['content-length', '0'],
  ['trailer', 'x-end'],
  ['date', 'Mon, 01 Jan 2024 00:00:00 GMT'],
  ['server', 'mine'],
  ['host-x', '1'],
  ['x-istio-attributes', 'mine'],
  ['content-encoding', 'gzip'],
];

/** RFC 9113 8.2.2: HTTP/2 has no such fields. Node's own client refuses to send them. */
const HTTP1_ONLY = new Set(['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'transfer-encoding', 'http2-settings']);

const METHODS = ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'PURGE'] as const;

function authority(r: Random): string {
  const host: string = r.pick(HOSTS);
  const odd = r.below(12);
  if (odd === 0) return host.toUpperCase();
  if (odd === 1) return `${host}:80`;
  if (odd === 2) return `${host}:81`;
  if (odd === 3) return `${host}.`;
  if (odd === 4) return 'nowhere.test';
  return host;
}

function headers(r: Random): [string, string][] {
  const out: [string, string][] = [];
  for (let n = r.below(5); n > 0; n--) {
    if (r.below(3) === 0) out.push([...r.pick(SPECIAL)]);
    else out.push([r.pick(HEADERS), r.pick(HEADER_VALUES)]);
    if (r.below(8) === 0) out.push([out.at(-1)![0], r.pick(HEADER_VALUES)]);
  }
  return out;
}

/** Node's HTTP/2 client sends most fields once only, and `te` with one value only. */
function sentByNode([name, value]: [string, string], at: number, all: readonly [string, string][]): boolean {
  if (name === 'te') return value === 'trailers' && all.findIndex(([k, v]) => k === 'te' && v === 'trailers') === at;
  return /^x-[abc]$|^cookie$|^accept$/.test(name) || all.findIndex(([k]) => k === name) === at;
}

export function randomRequest(r: Random): FuzzRequest {
  const protocol = r.pick(['http/1.1', 'http/1.1', 'http/1.1', 'h2c', 'h2c', 'grpc', 'http/1.0'] as const);
  const http1 = protocol.startsWith('http/1');
  // Envoy answers HTTP/1.0 with 426 and a body, HEAD or not.
  const method = protocol === 'grpc' ? 'POST' : protocol === 'http/1.0' ? 'GET' : r.pick(METHODS);
  const body =
    protocol === 'grpc' || method === 'POST' || method === 'PUT' || r.below(10) === 0
      ? r.pick(['x', 'body', 'y'.repeat(5000), protocol === 'grpc' ? 'w' : 'z'.repeat(70_000)])
      : undefined;
  // Expecting an answer to a body that never comes means nothing; Envoy passes it on all the same.
  const own = headers(r)
    .filter(([name]) => name !== 'expect' || body !== undefined)
    .filter(([name]) => (http1 || !HTTP1_ONLY.has(name)) && (name !== 'content-length' || body === undefined));
  const fields = http1 ? own : own.filter(sentByNode);
  const path = protocol === 'grpc' ? r.pick(['/p.S/M', '/a/b', '/p.S/']) : r.pick(PATHS) + r.pick(QUERIES);
  // Envoy refuses such a path before it knows the request's scheme. When the client itself has said one, Envoy's route for the refused path
  // still changes the answer's headers, which nobody can mean.
  const sent = path.includes('%00') ? fields.filter(([name]) => name !== 'x-forwarded-proto') : fields;
  return {
    protocol,
    to: r.pick(['sidecar', 'sidecar', 'gateway']),
    absolute: http1 && r.below(2) === 0,
    method,
    authority: authority(r),
    path,
    headers: protocol === 'grpc' ? sent.filter(([name]) => !['te', 'content-type', 'content-length', 'expect'].includes(name)) : sent,
    body,
    chunked: protocol === 'http/1.1' && body !== undefined && r.below(3) === 0,
  };
}
