/** Filters that had a name without `filters.` once, by what follows `envoy.` now. */
const RENAMED = new Map<string, string>([
  ...['buffer', 'cors', 'csrf', 'ext_authz', 'fault', 'grpc_http1_bridge', 'grpc_json_transcoder', 'grpc_web', 'gzip', 'health_check'].map(
    (name): [string, string] => [name, `http.${name}`],
  ),
  ...['ip_tagging', 'lua', 'router', 'squash'].map((name): [string, string] => [name, `http.${name}`]),
  ['http_dynamo_filter', 'http.dynamo'],
  ['rate_limit', 'http.ratelimit'],
  ...['http_inspector', 'original_dst', 'original_src', 'proxy_protocol', 'tls_inspector'].map((name): [string, string] => [
    `listener.${name}`,
    `listener.${name}`,
  ]),
  ...['client_ssl_auth', 'http_connection_manager', 'mongo_proxy', 'ratelimit', 'redis_proxy', 'tcp_proxy'].map(
    (name): [string, string] => [name, `network.${name}`],
  ),
]);

/** The name that a filter goes by now; undefined when `name` is no old one. */
export function newFilterName(name: string): string | undefined {
  const found = name.startsWith('envoy.') ? RENAMED.get(name.slice('envoy.'.length)) : undefined;
  return found === undefined ? undefined : `envoy.filters.${found}`;
}
