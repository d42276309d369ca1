import type { FilterChainJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { TcpProxyJson } from '#envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import type { Problem } from '../../../src/errors.ts';
import { type ChainFinder, compileChainMatches } from '../../../src/routing/filter-chain-match.ts';
import { jsonDuration } from '../../../src/routing/json-duration.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import { type AccessLogger, compileAccessLoggers } from '../http/access-loggers.ts';
import { compileConnectionManager } from '../http/compile-connection-manager.ts';
import type { RouteSlot } from '../http/connection-manager.ts';
import { checkTcpProxy } from '../tcp/check-tcp-proxy.ts';
import { createTcpProxy } from '../tcp/tcp-proxy.ts';
import type { CommonTls } from '../tls/common-context.ts';
import type { SecretStore } from '../tls/secret-store.ts';
import { compileTermination } from '../tls/terminate.ts';
import { addTlsInfo } from '../tls/tls-info.ts';
import { createTlsStats, type TlsStats } from '../tls/tls-stats.ts';
import type { TracingNode } from '../tracing/span.ts';
import type { ClusterManager, StatsRegistry } from '../types.ts';
import { type ListenAddress, readAddress } from './address.ts';
import type { Inspector } from './inspector.ts';
import { compileListenerFilters } from './listener-filters.ts';
import type { FilterChain, NetworkFilter } from './network-filter.ts';
import { refuseFields } from './unsupported.ts';

/** A listener's configuration, ready to run. */
export interface CompiledListener {
  readonly name: string;
  readonly json: ListenerJson;
  /** The configuration as text: equal text, nothing to do. */
  readonly text: string;
  readonly address: ListenAddress;
  readonly binds: boolean;
  readonly inbound: boolean;
  readonly originalDestination: boolean;
  readonly inspectors: readonly Inspector[];
  readonly inspectTimeout: number;
  readonly continueOnTimeout: boolean;
  readonly find: ChainFinder<FilterChain>;
  readonly defaultChain: FilterChain | undefined;
  readonly tlsContexts: readonly CommonTls[];
  /** `listener.0.0.0.0_8080`. */
  readonly statPrefix: string;
  /** The listener's own, for connections that no chain takes. */
  readonly accessLogs: readonly AccessLogger[];
  /** Where records of such connections are made; undefined: there are none. */
  readonly recordDirection: RequestRecord['direction'] | undefined;
}

export interface ListenerContext {
  proxyId: string;
  node: TracingNode;
  clusters: ClusterManager;
  stats: StatsRegistry;
  secrets: SecretStore;
  record(record: RequestRecord): void;
  routes(json: HttpConnectionManagerJson, path: string, problems: ProblemList): RouteSlot | undefined;
}

const NETWORK = 'type.googleapis.com/envoy.extensions.filters.network';
const HTTP = `${NETWORK}.http_connection_manager.v3.HttpConnectionManager`;
const TCP = `${NETWORK}.tcp_proxy.v3.TcpProxy`;
/** It only counts: traffic is the same without it. */
const MONGO = `${NETWORK}.mongo_proxy.v3.MongoProxy`;

/** Compiles one listener. With an error among the problems it is refused, and `listener` is undefined. */
export function compileListener(
  json: ListenerJson,
  context: ListenerContext,
): { listener: CompiledListener | undefined; problems: Problem[] } {
  const problems = new ProblemList();
  const more: Problem[] = [];
  refuseFields('Listener', json, '', problems);
  const address = readAddress(json.address, problems);
  const { inspectors, problems: ofFilters } = compileListenerFilters(json.listenerFilters ?? [], 'listener');
  const logs = compileAccessLoggers(json.accessLog, 'listener');
  const statPrefix = `listener.${json.statPrefix || (address?.text ?? '').replaceAll(':', '_')}`;
  let tlsStats: TlsStats | undefined;
  const compileChain = (chain: FilterChainJson, path: string): FilterChain => ({
    name: chain.name ?? '',
    match: chain.filterChainMatch,
    tls: compileTermination(chain.transportSocket, `${path}.transportSocket`, problems, {
      secrets: context.secrets,
      get stats() {
        tlsStats ??= createTlsStats((name) => context.stats.counter(`${statPrefix}.${name}`));
        return tlsStats;
      },
    }),
    connectTimeout: jsonDuration(chain.transportSocketConnectTimeout, `${path}.transportSocketConnectTimeout`, problems) ?? 0,
    filter: compileFilters(json, chain, path, statPrefix, context, problems, more),
  });
  const chains = (json.filterChains ?? []).map((chain, i) => compileChain(chain, `filterChains[${i}]`));
  const defaultChain = json.defaultFilterChain === undefined ? undefined : compileChain(json.defaultFilterChain, 'defaultFilterChain');
  if (chains.length === 0 && defaultChain === undefined) problems.invalid('filterChains', 'no filter chains specified');
  const matches = compileChainMatches(chains, 'listener');
  const timeout = jsonDuration(json.listenerFiltersTimeout, 'listenerFiltersTimeout', problems);
  const all = [...problems.all, ...more, ...ofFilters, ...logs.problems, ...matches.problems].map((p) => describe(p, json));
  if (address === undefined || all.some((p) => p.severity === 'error')) return { listener: undefined, problems: all };
  const listener: CompiledListener = {
    name: json.name ?? '',
    json,
    text: JSON.stringify(json),
    address,
    binds: json.bindToPort !== false && json.deprecatedV1?.bindToPort !== false,
    inbound: json.trafficDirection === 'INBOUND',
    originalDestination: json.useOriginalDst === true || (json.listenerFilters ?? []).some((f) => f.name?.endsWith('original_dst')),
    inspectors,
    // Envoy: 15 s unless set; 0 is no limit.
    inspectTimeout: timeout ?? 15_000,
    continueOnTimeout: json.continueOnListenerFiltersTimeout === true,
    find: matches.find,
    defaultChain,
    tlsContexts: [...chains, ...(defaultChain === undefined ? [] : [defaultChain])].flatMap(({ tls }) => tls?.common ?? []),
    statPrefix,
    accessLogs: logs.loggers,
    recordDirection: logs.records.direction,
  };
  return { listener, problems: all };
}

function compileFilters(
  listener: ListenerJson,
  chain: FilterChainJson,
  path: string,
  statPrefix: string,
  context: ListenerContext,
  problems: ProblemList,
  more: Problem[],
): NetworkFilter | undefined {
  refuseFields('FilterChain', chain, path, problems);
  let terminal: NetworkFilter | undefined;
  (chain.filters ?? []).forEach((filter, i, all) => {
    const field = `${path}.filters[${i}]`;
    const config = filter.typedConfig;
    const type = String((config as { '@type'?: unknown } | undefined)?.['@type'] ?? '');
    if (type === MONGO) return;
    if (type === HTTP || type === TCP) {
      if (i !== all.length - 1) problems.invalid(field, 'a terminal filter must be the last');
      const { proxyId, node, clusters, stats, record } = context;
      if (type === HTTP) {
        const compiled = compileConnectionManager(config as HttpConnectionManagerJson, `${field}.typedConfig`, {
          proxyId,
          node,
          inbound: listener.trafficDirection === 'INBOUND',
          outbound: listener.trafficDirection === 'OUTBOUND',
          listenerStats: statPrefix,
          bufferLimit: listener.perConnectionBufferLimitBytes,
          clusters,
          stats,
          record,
          routes: context.routes,
        });
        more.push(...compiled.problems);
        if (compiled.manager !== undefined) terminal = { kind: 'http', manager: compiled.manager };
      } else {
        terminal = compileTcpProxy(config as TcpProxyJson, `${field}.typedConfig`, context, more);
      }
      return;
    }
    more.push({
      severity: 'error',
      rule: 'unsupported/network-filter',
      message: `${field}: the network filter ${filter.name ?? type} is not supported`,
      path: field,
    });
  });
  return terminal;
}

function compileTcpProxy(config: TcpProxyJson, path: string, context: ListenerContext, problems: Problem[]): NetworkFilter | undefined {
  const { proxyId, clusters, stats, record } = context;
  const logs = compileAccessLoggers(config.accessLog, path);
  const found = [
    ...checkTcpProxy(config).map((p) => ({ ...p, message: `${path}: ${p.message}`, path: `${path}.${p.path}` })),
    ...logs.problems,
  ];
  problems.push(...found);
  if (found.some((p) => p.severity === 'error')) return undefined;
  const serve = createTcpProxy(config, {
    proxyId,
    clusters,
    stats,
    record(entry, tls) {
      if (logs.records.direction !== undefined) entry.direction = logs.records.direction;
      record(entry);
      if (tls !== undefined && logs.loggers.length > 0) addTlsInfo(entry, tls);
      for (const logger of logs.loggers) logger.log(entry);
    },
  });
  return { kind: 'tcp', serve };
}

/** Names the listener, and the resource that it was made from when its metadata says so. */
function describe(problem: Problem, json: ListenerJson): Problem {
  const config = json.metadata?.filterMetadata?.['istio']?.['config'];
  return {
    ...problem,
    message: `listener ${json.name ?? ''}: ${problem.message}`,
    origin: typeof config === 'string' ? config : `listener ${json.name ?? ''}`,
  };
}
