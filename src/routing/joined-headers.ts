/**
 * Headers that Envoy stores once: further lines are joined with a comma when they arrive, so a matcher sees one value.
 * Lines of all other headers are matched one by one. Seen on Envoy 1.40.
 */
export const JOINED_REQUEST_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'access-control-request-headers',
  'access-control-request-method',
  'access-control-request-private-network',
  'authorization',
  'cache-control',
  'cdn-loop',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'grpc-accept-encoding',
  'grpc-timeout',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'keep-alive',
  'origin',
  'pragma',
  'proxy-connection',
  'proxy-status',
  'referer',
  'te',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'via',
  'x-client-trace-id',
  'x-envoy-attempt-count',
  'x-envoy-decorator-operation',
  'x-envoy-downstream-service-cluster',
  'x-envoy-downstream-service-node',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-external-address',
  'x-envoy-force-trace',
  'x-envoy-hedge-on-per-try-timeout',
  'x-envoy-internal',
  'x-envoy-ip-tags',
  'x-envoy-is-timeout-retry',
  'x-envoy-max-retries',
  'x-envoy-original-host',
  'x-envoy-original-path',
  'x-envoy-original-url',
  'x-envoy-retriable-header-names',
  'x-envoy-retriable-status-codes',
  'x-envoy-retry-grpc-on',
  'x-envoy-retry-on',
  'x-envoy-upstream-alt-stat-name',
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-envoy-upstream-rq-timeout-ms',
  'x-envoy-upstream-stream-duration-ms',
  'x-forwarded-client-cert',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-request-id',
]);

/** The same for response headers. */
export const JOINED_RESPONSE_HEADERS: ReadonlySet<string> = new Set([
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-max-age',
  'age',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'etag',
  'expires',
  'grpc-message',
  'grpc-status',
  'keep-alive',
  'last-modified',
  'location',
  'proxy-connection',
  'proxy-status',
  'server',
  'transfer-encoding',
  'upgrade',
  'vary',
  'via',
  'x-envoy-attempt-count',
  'x-envoy-decorator-operation',
  'x-envoy-degraded',
  'x-envoy-immediate-health-check-fail',
  'x-envoy-overloaded',
  'x-envoy-ratelimited',
  'x-envoy-upstream-canary',
  'x-envoy-upstream-healthchecked-cluster',
  'x-envoy-upstream-service-time',
  'x-request-id',
]);

/** Beyond so many headers a map is faster than looking at each pair. */
const MANY = 64;

/** Joins repeated lines of such headers with a comma, in place; the joined line stands where the first one stood. */
export function joinRepeated(headers: string[], names: ReadonlySet<string>): void {
  const first = headers.length > MANY ? new Map<string, number>() : undefined;
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const before = first === undefined ? placeOf(headers, name, kept) : (first.get(name) ?? -1);
    if (before >= 0 && names.has(name)) {
      headers[before + 1] = joined(headers[before + 1]!, headers[i + 1]!);
      continue;
    }
    if (before < 0) first?.set(name, kept);
    if (kept !== i) {
      headers[kept] = name;
      headers[kept + 1] = headers[i + 1]!;
    }
    kept += 2;
  }
  if (kept !== headers.length) headers.length = kept;
}

/** Envoy: nothing is added of an empty line, and no comma to one. */
function joined(first: string, more: string): string {
  if (first === '' || more === '') return first + more;
  return `${first},${more}`;
}

function placeOf(headers: readonly string[], name: string, end: number): number {
  for (let i = 0; i < end; i += 2) if (headers[i] === name) return i;
  return -1;
}
