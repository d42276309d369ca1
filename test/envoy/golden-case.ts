/**
 * Golden cases: one file is one case. Above the line `=== expected` a mesh as people write it, below it what Envoy gets.
 *
 * Comments at the very top steer the case:
 *   # proxy: default/web     the proxy whose config is computed; without it default/client
 *   # meshConfig: {…}        MeshConfig, in flow style
 *   # show: names, routes/80, brief/0.0.0.0_80, problems
 *
 * `names` lists listeners and route configurations; `<list>/<name>[/<key>…]` shows a resource or a part of it (`*`: all of the list);
 * `policies/<listener>` is the filters that carry policies out, those of its connection managers and those in front of TCP proxies;
 * `brief/<listener>` leaves of HTTP connection managers and TLS contexts only what tells them apart; `problems` lists findings with their lines.
 * The record log, which is in every listener, is left out; `whole/<listener>[/<key>…]` shows it.
 */
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import type { AccessLogJson } from '#envoy-api/envoy/config/accesslog/v3/accesslog_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import { parseConfig } from '../../src/config/parse-config.ts';
import { buildSnapshot } from '../../src/envoy/build.ts';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import type { Problem } from '../../src/errors.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { findProxy } from '../../src/mesh/proxies.ts';
import { asRecordLog } from '../../src/telemetry/record-log.ts';

const separator = '=== expected\n';

export interface GoldenCase {
  file: string;
  input: string;
  expected: string;
  directives: ReadonlyMap<string, string>;
}

export function readCase(file: string): GoldenCase {
  const [input = '', expected = ''] = readFileSync(file, 'utf8').split(separator);
  const directives = new Map<string, string>();
  for (const line of input.split('\n')) {
    if (!line.startsWith('#')) break;
    const [, key, value] = /^# (proxy|meshConfig|show): (.*)$/.exec(line) ?? [];
    if (key && value) directives.set(key, value);
  }
  return { file, input, expected, directives };
}

/** The text of a case's file with another expectation. */
export function withExpected({ input }: GoldenCase, expected: string): string {
  return input + separator + expected;
}

type Json = unknown;
type Named = { name?: string; clusterName?: string };

function briefFilter(filter: { name?: string; typedConfig?: Record<string, unknown> }): Json {
  if (!filter.name?.endsWith('http_connection_manager')) return filter;
  const { statPrefix, rds, routeConfig } = filter.typedConfig as {
    statPrefix: string;
    rds?: { routeConfigName: string };
    routeConfig?: { name: string };
  };
  return {
    name: filter.name,
    statPrefix,
    ...(rds && { routes: rds.routeConfigName }),
    ...(routeConfig && { inlineRoutes: routeConfig.name }),
  };
}

/** A TLS context as its type, what it offers and the secrets that it names, in their order. */
function briefSocket(socket: { typedConfig: Record<string, unknown> }): Json {
  const context = socket.typedConfig as {
    '@type': string;
    commonTlsContext: { alpnProtocols?: string[] };
    requireClientCertificate?: boolean;
  };
  const secrets = [...JSON.stringify(context).matchAll(/"name":"([^"]*)","sdsConfig"/g)].map((m) => m[1]);
  const { requireClientCertificate, commonTlsContext } = context;
  return { type: context['@type'].replace(/.*\./, ''), alpn: commonTlsContext.alpnProtocols, secrets, requireClientCertificate };
}

function brief(value: Json): Json {
  if (Array.isArray(value)) return value.map(brief);
  if (typeof value !== 'object' || value === null) return value;
  const out: Record<string, Json> = {};
  for (const [key, v] of Object.entries(value))
    out[key] = key === 'filters' ? (v as object[]).map(briefFilter) : key === 'transportSocket' ? briefSocket(v as never) : brief(v);
  return out;
}

/** Without the record log, and without lists of access logs that are empty then. */
function withoutRecordLog(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutRecordLog);
  if (typeof value !== 'object' || value === null) return value;
  const out: Record<string, Json> = {};
  for (const [key, v] of Object.entries(value)) {
    if (key !== 'accessLog') out[key] = withoutRecordLog(v);
    else {
      const logs = (v as AccessLogJson[]).filter((log) => asRecordLog(log) === undefined);
      if (logs.length > 0) out[key] = logs;
    }
  }
  return out;
}

function part(value: Json, path: readonly string[]): Json {
  let at = value as Record<string, Json> | undefined;
  for (const key of path) at = at?.[key] as Record<string, Json> | undefined;
  return at;
}

const POLICY_FILTER = /^envoy\.filters\.(?:http|network)\.(?:rbac|ext_authz|jwt_authn)$/;

/** Each set of policy filters that chains of a listener have; most have the same. */
function policies(listener: ListenerJson | undefined): Json {
  const http = new Map<string, Json>();
  const tcp = new Map<string, Json>();
  const ofPolicies = (filters: readonly Named[]): Named[] => filters.filter((f) => POLICY_FILTER.test(f.name ?? ''));
  for (const { filters = [] } of listener?.filterChains ?? []) {
    const last = filters.at(-1);
    const manager = last?.name?.endsWith('http_connection_manager') ? (last.typedConfig as { httpFilters?: Named[] }) : undefined;
    const found = ofPolicies(manager?.httpFilters ?? filters);
    if (found.length > 0) (manager ? http : tcp).set(JSON.stringify(found), found);
  }
  return Object.fromEntries([
    ...[...http.values()].map((v, i) => [`http${i || ''}`, v]),
    ...[...tcp.values()].map((v, i) => [`tcp${i || ''}`, v]),
  ]);
}

function shown(snapshot: Snapshot, problems: readonly Problem[], what: string): Json {
  if (what === 'names') return { listeners: snapshot.listeners.map((l) => l.name), routes: snapshot.routes.map((r) => r.name) };
  if (what === 'problems') {
    return problems.map((p) => `${p.position ? `${p.position.line}:${p.position.column} ` : ''}${p.severity} ${p.rule}: ${p.message}`);
  }
  const [list, name, ...path] = what.split('/') as [string, string, ...string[]];
  const from = snapshot[(list === 'brief' || list === 'whole' ? 'listeners' : list) as 'listeners'] as readonly Named[];
  if (list === 'policies') return policies(snapshot.listeners.find((l) => l.name === name));
  const view = (v: Json): Json => (list === 'brief' ? brief(withoutRecordLog(v)) : list === 'listeners' ? withoutRecordLog(v) : v);
  if (name === '*') return from.map(view);
  return part(view(from.find((r) => (r.name ?? r.clusterName) === name)), path) ?? null;
}

/** Computes what a case shows, and the snapshot that it comes from (undefined when the input is refused). */
export async function runCase(golden: GoldenCase): Promise<{ actual: string; snapshot: Snapshot | undefined }> {
  const loaded = await parseConfig(golden.input, 'mesh.yaml');
  const wanted = (golden.directives.get('show') ?? 'names').split(',').map((s) => s.trim());
  const write = (parts: Record<string, Json>): string => stringify(parts, { lineWidth: 0, aliasDuplicateObjects: false });
  const refused = loaded.problems.filter((p) => p.severity === 'error');
  if (refused.length > 0) return { actual: write({ refused: shown({} as Snapshot, refused, 'problems') }), snapshot: undefined };
  const meshConfig = golden.directives.get('meshConfig');
  const mesh = buildMesh(loaded.resources, { meshConfig: meshConfig ? parse(meshConfig) : loaded.meshConfig });
  const [namespace = 'default', name = 'client'] = golden.directives.get('proxy')?.split('/') ?? [];
  const proxy = findProxy(mesh, `${name}.${namespace}`);
  if ('candidates' in proxy) throw new Error(`no proxy ${name}.${namespace} among ${proxy.candidates.join(', ')}`);
  const snapshot = buildSnapshot(mesh, proxy);
  const problems = [...mesh.problems, ...snapshot.problems];
  return { actual: write(Object.fromEntries(wanted.map((w) => [w, shown(snapshot, problems, w)]))), snapshot };
}
