import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ProxyProtocolUpstreamTransportJson } from '#envoy-api/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js';
import type { HttpProtocolOptionsJson } from '#envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import type { Problem } from '../../../src/errors.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import { HTTP_OPTIONS_KEY } from '../../../src/upstream/http-options.ts';
import { jsonNumber } from '../../../src/upstream/json-number.ts';
import { milliseconds } from '../../../src/upstream/milliseconds.ts';
import { createSecretStore } from '../tls/secret-store.ts';
import { createTlsStats } from '../tls/tls-stats.ts';
import { FORWARD_PROXY } from './discovery/on-demand-hosts.ts';
import { PROXY_PROTOCOL_TYPE } from './socket-options.ts';
import { compileTransports } from './transports.ts';
import * as fields from './unsupported.ts';

const TYPES: ReadonlySet<unknown> = new Set(['STATIC', 'STRICT_DNS', 'LOGICAL_DNS', 'EDS', 'ORIGINAL_DST', undefined]);
const POLICIES: ReadonlySet<unknown> = new Set([
  'ROUND_ROBIN',
  'LEAST_REQUEST',
  'RANDOM',
  'RING_HASH',
  'MAGLEV',
  'CLUSTER_PROVIDED',
  undefined,
]);
/** Envoy's largest. */
const MAX_RING_SIZE = 8_388_608;
const MAX_TABLE_SIZE = 5_000_011;

/**
 * Everything about a cluster that cannot be carried out. `error`: the cluster must be refused; `warning`: it runs, but for what
 * is said. Paths begin with `clusters[<name>]`.
 */
export function checkCluster(cluster: ClusterJson): Problem[] {
  const problems: Problem[] = [];
  const at = `clusters[${cluster.name ?? ''}]`;

  function add(severity: Problem['severity'], rule: string, path: string, why: string): void {
    problems.push({ severity, rule, message: `cluster ${cluster.name || '(without a name)'}: ${path} ${why}`, path: `${at}.${path}` });
  }
  const refuse = (path: string, why: string): void => add('error', 'unsupported/field', path, `is not supported: ${why}`);
  const invalid = (path: string, why: string): void => add('error', 'envoy/invalid', path, why);

  function check(message: unknown, table: fields.FieldTable, path: string): void {
    if (message === undefined || message === null) return;
    for (const [field, value] of Object.entries(message as object)) {
      if (field === '@type' || asksForNothing(value)) continue;
      const known = Object.hasOwn(table, field) ? table[field] : 'nothing acts on it';
      if (typeof known === 'string') refuse(path === '' ? field : `${path}.${field}`, known);
    }
  }

  if (!cluster.name) invalid('name', 'must not be empty');
  check(cluster, fields.CLUSTER_FIELDS, '');
  checkType(cluster, check, refuse, invalid);
  checkBalancer(cluster, check, refuse, invalid);
  checkConnections(cluster, check, add);
  checkHttp(cluster, check, refuse);
  const outlier = cluster.outlierDetection;
  check(outlier, fields.OUTLIER_FIELDS, 'outlierDetection');
  if (outlier?.maxEjectionTime && milliseconds(outlier.maxEjectionTime, 0) < milliseconds(outlier.baseEjectionTime, 30_000)) {
    invalid('outlierDetection.maxEjectionTime', 'must not be shorter than baseEjectionTime');
  }
  return [...problems, ...checkTransports(cluster, at)];
}

type Check = (message: unknown, table: fields.FieldTable, path: string) => void;
type Report = (path: string, why: string) => void;

function checkType(cluster: ClusterJson, check: Check, refuse: Report, invalid: Report): void {
  const { clusterType: custom } = cluster;
  if (custom !== undefined) {
    if (custom.name === FORWARD_PROXY) check(custom.typedConfig, fields.FORWARD_PROXY_FIELDS, 'clusterType.typedConfig');
    else refuse('clusterType', `there is no cluster type ${custom.name ?? ''}`);
    return;
  }
  if (!TYPES.has(cluster.type)) refuse('type', `there is no cluster type ${String(cluster.type)}`);
  check(cluster.originalDstLbConfig, fields.ORIGINAL_DST_FIELDS, 'originalDstLbConfig');
  if (cluster.type === 'LOGICAL_DNS') {
    const count = (cluster.loadAssignment?.endpoints ?? []).reduce((n, e) => n + (e.lbEndpoints?.length ?? 0), 0);
    if (count !== 1) invalid('loadAssignment', `must have exactly one endpoint, as type is LOGICAL_DNS; it has ${count}`);
  }
}

function checkBalancer(cluster: ClusterJson, check: Check, refuse: Report, invalid: Report): void {
  const { lbPolicy, type, ringHashLbConfig: ring } = cluster;
  if (!POLICIES.has(lbPolicy)) refuse('lbPolicy', `there is no balancer ${String(lbPolicy)}`);
  const provided = type === 'ORIGINAL_DST' || cluster.clusterType !== undefined;
  if (provided !== (lbPolicy === 'CLUSTER_PROVIDED')) {
    invalid('lbPolicy', provided ? 'must be CLUSTER_PROVIDED, as the cluster finds its hosts itself' : 'must not be CLUSTER_PROVIDED');
  }
  check(cluster.commonLbConfig, fields.COMMON_LB_FIELDS, 'commonLbConfig');
  check(cluster.commonLbConfig?.consistentHashingLbConfig, fields.CONSISTENT_HASHING_FIELDS, 'commonLbConfig.consistentHashingLbConfig');
  check(ring, fields.RING_HASH_FIELDS, 'ringHashLbConfig');
  if (ring?.hashFunction === 'MURMUR_HASH_2') refuse('ringHashLbConfig.hashFunction', 'hosts are hashed with XX_HASH');
  const least = jsonNumber(ring?.minimumRingSize, 1024);
  const most = jsonNumber(ring?.maximumRingSize, MAX_RING_SIZE);
  if (least > most || most > MAX_RING_SIZE) {
    invalid('ringHashLbConfig.minimumRingSize', `must be at most maximumRingSize, and that at most ${MAX_RING_SIZE}`);
  }
  const table = jsonNumber(cluster.maglevLbConfig?.tableSize, 65_537);
  if (table > MAX_TABLE_SIZE || !isPrime(table))
    invalid('maglevLbConfig.tableSize', `must be a prime up to ${MAX_TABLE_SIZE}, not ${table}`);
}

function checkConnections(
  cluster: ClusterJson,
  check: Check,
  add: (severity: Problem['severity'], rule: string, path: string, why: string) => void,
): void {
  check(cluster.circuitBreakers, fields.CIRCUIT_BREAKER_FIELDS, 'circuitBreakers');
  for (const [i, t] of (cluster.circuitBreakers?.thresholds ?? []).entries()) {
    check(t, fields.THRESHOLD_FIELDS, `circuitBreakers.thresholds[${i}]`);
  }
  check(cluster.upstreamBindConfig, fields.BIND_FIELDS, 'upstreamBindConfig');
  check(cluster.upstreamConnectionOptions, fields.CONNECTION_FIELDS, 'upstreamConnectionOptions');
  for (const field of ['keepaliveProbes', 'keepaliveInterval'] as const) {
    if (cluster.upstreamConnectionOptions?.tcpKeepalive?.[field] !== undefined) {
      const path = `upstreamConnectionOptions.tcpKeepalive.${field}`;
      add('warning', 'unsupported/field', path, "cannot be set: the system's value is used");
    }
  }
  const socket = cluster.transportSocket;
  const wrapper = socket?.typedConfig as (ProxyProtocolUpstreamTransportJson & { '@type'?: string }) | undefined;
  if (wrapper?.['@type'] === PROXY_PROTOCOL_TYPE) {
    check(wrapper, fields.PROXY_PROTOCOL_FIELDS, 'transportSocket.typedConfig');
    check(wrapper.config, fields.PROXY_PROTOCOL_CONFIG_FIELDS, 'transportSocket.typedConfig.config');
  }
}

/** Certificates and versions are tried out; secrets come later. */
function checkTransports(cluster: ClusterJson, at: string): Problem[] {
  if (cluster.transportSocket === undefined && (cluster.transportSocketMatches ?? []).length === 0) return [];
  const list = new ProblemList();
  const none = { value: 0, inc() {} };
  compileTransports(cluster, list, { secrets: createSecretStore(), stats: createTlsStats(() => none) });
  return list.all.map((p) => ({ ...p, message: `cluster ${cluster.name || '(without a name)'}: ${p.message}`, path: `${at}.${p.path}` }));
}

function checkHttp(cluster: ClusterJson, check: Check, refuse: Report): void {
  for (const key of Object.keys(cluster.typedExtensionProtocolOptions ?? {})) {
    if (key !== HTTP_OPTIONS_KEY) refuse(`typedExtensionProtocolOptions[${key}]`, 'there is no such extension');
  }
  const base = `typedExtensionProtocolOptions[${HTTP_OPTIONS_KEY}]`;
  const options = cluster.typedExtensionProtocolOptions?.[HTTP_OPTIONS_KEY] as HttpProtocolOptionsJson | undefined;
  check(options, fields.HTTP_FIELDS, base);
  for (const [common, path] of [
    [options?.commonHttpProtocolOptions, `${base}.commonHttpProtocolOptions`],
    [cluster.commonHttpProtocolOptions, 'commonHttpProtocolOptions'],
  ] as const) {
    check(common, fields.COMMON_HTTP_FIELDS, path);
  }
  for (const [config, path] of [
    [options?.explicitHttpConfig, `${base}.explicitHttpConfig`],
    [options?.useDownstreamProtocolConfig, `${base}.useDownstreamProtocolConfig`],
    [{ httpProtocolOptions: cluster.httpProtocolOptions, http2ProtocolOptions: cluster.http2ProtocolOptions }, ''],
  ] as const) {
    check(config, fields.HTTP_CONFIG_FIELDS, path);
    const under = path === '' ? '' : `${path}.`;
    check(config?.httpProtocolOptions, fields.HTTP1_FIELDS, `${under}httpProtocolOptions`);
    check(config?.http2ProtocolOptions, fields.HTTP2_FIELDS, `${under}http2ProtocolOptions`);
  }
}

/** Values that say what is so anyway. */
function asksForNothing(value: unknown): boolean {
  return value === undefined || value === null || value === false || value === '' || (Array.isArray(value) && value.length === 0);
}

function isPrime(n: number): boolean {
  if (!Number.isInteger(n) || n < 2) return false;
  for (let i = 2; i * i <= n; i++) if (n % i === 0) return false;
  return true;
}
