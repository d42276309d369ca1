/**
 * Generates Envoy's v3 API (types, JSON types and descriptors) into `gen/` from the proto tree that ships inside
 * the npm package @grpc/grpc-js-xds. Works offline. Does nothing when `gen/` is already up to date.
 *
 * Only the protos reachable from ROOTS are generated: a new root is one line here.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const deps = join(dirname(require.resolve('@grpc/grpc-js-xds/package.json')), 'deps');
const includes = ['envoy-api', 'xds', 'googleapis'].map((d) => join(deps, d));

/** Messages that appear in, or inside an Any of, the configuration and the dumps that Fairlead reads and writes. */
const ROOTS = `
envoy/admin/v3/clusters envoy/admin/v3/config_dump envoy/admin/v3/listeners envoy/admin/v3/certs
envoy/admin/v3/memory envoy/admin/v3/server_info envoy/admin/v3/metrics envoy/admin/v3/mutex_stats
envoy/config/bootstrap/v3/bootstrap envoy/config/cluster/v3/cluster envoy/config/endpoint/v3/endpoint
envoy/config/listener/v3/listener envoy/config/route/v3/route envoy/config/accesslog/v3/accesslog
envoy/config/rbac/v3/rbac envoy/config/trace/v3/zipkin envoy/config/trace/v3/opentelemetry
envoy/extensions/access_loggers/file/v3/file envoy/extensions/access_loggers/filters/cel/v3/cel
envoy/extensions/access_loggers/grpc/v3/als
envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache
envoy/extensions/filters/http/cors/v3/cors envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy
envoy/extensions/filters/http/ext_authz/v3/ext_authz envoy/extensions/filters/http/fault/v3/fault
envoy/extensions/filters/http/grpc_stats/v3/config envoy/extensions/filters/http/grpc_web/v3/grpc_web
envoy/extensions/filters/http/jwt_authn/v3/config envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit
envoy/extensions/filters/http/lua/v3/lua envoy/extensions/filters/http/on_demand/v3/on_demand
envoy/extensions/filters/http/rbac/v3/rbac envoy/extensions/filters/http/router/v3/router
envoy/extensions/filters/http/stateful_session/v3/stateful_session envoy/extensions/filters/http/wasm/v3/wasm
envoy/extensions/filters/listener/http_inspector/v3/http_inspector envoy/extensions/filters/listener/original_dst/v3/original_dst
envoy/extensions/filters/listener/original_src/v3/original_src envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol
envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector
envoy/extensions/filters/network/ext_authz/v3/ext_authz
envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager
envoy/extensions/filters/network/mongo_proxy/v3/mongo_proxy envoy/extensions/filters/network/rbac/v3/rbac
envoy/extensions/filters/network/sni_cluster/v3/sni_cluster envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy
envoy/extensions/http/original_ip_detection/xff/v3/xff envoy/extensions/load_balancing_policies/client_side_weighted_round_robin/v3/client_side_weighted_round_robin
envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver envoy/extensions/request_id/uuid/v3/uuid
envoy/extensions/path/match/uri_template/v3/uri_template_match
envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections
envoy/extensions/retry/host/previous_hosts/v3/previous_hosts envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config
envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer
envoy/extensions/transport_sockets/tls/v3/tls envoy/extensions/upstreams/http/v3/http_protocol_options
envoy/service/accesslog/v3/als envoy/service/discovery/v3/ads envoy/service/secret/v3/sds
`
  .trim()
  .split(/\s+/)
  .map((p) => `${p}.proto`);

/** Fields of Envoy 1.40 that the bundled tree is too old for: what stands before them in a file, and they themselves. */
const ADDED: Readonly<Record<string, readonly (readonly [after: string, field: string])[]>> = {
  'envoy/type/tracing/v3/custom_tag.proto': [['Metadata metadata = 5;', 'string value = 6;']],
  'envoy/config/trace/v3/zipkin.proto': [
    [
      'string collector_hostname = 6;',
      'enum TraceContextOption { USE_B3 = 0; USE_B3_WITH_W3C_PROPAGATION = 1; } TraceContextOption trace_context_option = 8;',
    ],
  ],
  'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto': [
    ['google.protobuf.BoolValue spawn_upstream_span = 10;', 'bool no_context_propagation = 13;'],
  ],
};

function withAdded(path: string, text: string): string {
  for (const [after, field] of ADDED[path] ?? []) {
    if (text.split(after).length !== 2) throw new Error(`${path}: "${after}" is not there once`);
    text = text.replace(after, `${after}\n${field}`);
  }
  return text;
}

/** The bundled validate.proto is older than the tree that imports it; its options carry no meaning for us. */
const VALIDATE_HEAD = `syntax = "proto2";
package validate;
import "google/protobuf/descriptor.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/timestamp.proto";
extend google.protobuf.MessageOptions { optional bool disabled = 1071; optional bool ignored = 1072; }
extend google.protobuf.OneofOptions { optional bool required = 1071; }
extend google.protobuf.FieldOptions { optional FieldRules rules = 1071; }
`;

/** The bundled rules plus the one field that the tree uses and they lack. */
function validateProto(): string {
  const bundled = readFileSync(join(deps, 'protoc-gen-validate/validate/validate.proto'), 'utf8');
  const rules = bundled.slice(bundled.indexOf('message FieldRules'));
  return (
    VALIDATE_HEAD +
    rules.replace(/message (\w+Rules) \{/g, (head, name) =>
      name === 'FieldRules' || /ignore_empty/.test(bodyOf(rules, name)) ? head : `${head}\n  optional bool ignore_empty = 1099;`,
    )
  );
}

function bodyOf(text: string, message: string): string {
  const start = text.indexOf(`message ${message} {`);
  return text.slice(start, text.indexOf('\nmessage ', start + 1) >>> 0);
}

function find(path: string): string | undefined {
  return includes.map((d) => join(d, path)).find((f) => existsSync(f));
}

function closure(): { files: Map<string, string>; missing: Map<string, string> } {
  const files = new Map<string, string>();
  const missing = new Map<string, string>();
  const queue = ROOTS.map((path) => ({ path, by: 'ROOTS' }));
  for (let next = queue.pop(); next; next = queue.pop()) {
    const { path, by } = next;
    if (files.has(path) || path.startsWith('google/protobuf/') || path === 'validate/validate.proto') continue;
    const file = find(path);
    if (!file) {
      missing.set(path, by);
      continue;
    }
    const text = readFileSync(file, 'utf8');
    files.set(path, withAdded(path, text));
    for (const m of text.matchAll(/^import (?:public |weak )?"([^"]+)";/gm)) queue.push({ path: m[1] as string, by: path });
  }
  return { files, missing };
}

const { files, missing } = closure();
for (const [path, by] of missing) console.error(`missing ${path} (imported by ${by})`);
if (missing.size > 0) process.exit(1);

const stamp = createHash('sha256')
  .update(readFileSync(fileURLToPath(import.meta.url)))
  .update([...files].flat().join('\0'))
  .digest('hex');
const out = join(root, 'gen');
const stampFile = join(out, '.stamp');
if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) process.exit(0);

const work = mkdtempSync(join(tmpdir(), 'fairlead-protos-'));
try {
  for (const [path, text] of [...files, ['validate/validate.proto', validateProto()] as const]) {
    const to = join(work, 'proto', path);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, text);
  }
  writeFileSync(join(work, 'buf.yaml'), 'version: v2\nmodules:\n  - path: proto\n');
  writeFileSync(
    join(work, 'buf.gen.yaml'),
    `version: v2
plugins:
  - local: ${JSON.stringify([process.execPath, join(root, 'node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es')])}
    out: gen
    include_imports: true
    opt: [target=js+dts, import_extension=js, json_types=true]
`,
  );
  const bin = join(root, 'node_modules/.bin/buf');
  const run = spawnSync(bin, ['generate'], { cwd: work, stdio: ['ignore', 'inherit', 'inherit'] });
  if (run.status !== 0) {
    console.error(`buf generate failed (${run.error?.message ?? `exit ${run.status}`})`);
    process.exit(1);
  }
  writeFileSync(join(work, 'gen/.stamp'), stamp);
  rmSync(out, { recursive: true, force: true });
  try {
    renameSync(join(work, 'gen'), out);
  } catch {
    cpSync(join(work, 'gen'), out, { recursive: true });
  }
  console.error(`generated gen/ from ${files.size} protos`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
