import type { FilterChainJson, FilterJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { TcpProxyJson } from '#envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import type { Problem } from '../../../src/errors.ts';
import type { ProblemList } from '../../../src/routing/problems.ts';
import type { StreamInfo } from '../../../src/routing/stream-info.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import { CONNECTION_FILTERS } from '../filters/connection-filters.ts';
import { compileAccessLoggers } from '../http/access-loggers.ts';
import { compileConnectionManager } from '../http/compile-connection-manager.ts';
import { type ConnectionFilter, createAdmission } from '../tcp/admission.ts';
import { checkTcpProxy } from '../tcp/check-tcp-proxy.ts';
import { createTcpProxy } from '../tcp/tcp-proxy.ts';
import { addTlsInfo } from '../tls/tls-info.ts';
import type { ListenerContext } from './listener-context.ts';
import type { NetworkFilter } from './network-filter.ts';
import { refuseFields } from './unsupported.ts';

const NETWORK = 'type.googleapis.com/envoy.extensions.filters.network';
const HTTP = `${NETWORK}.http_connection_manager.v3.HttpConnectionManager`;
const TCP = `${NETWORK}.tcp_proxy.v3.TcpProxy`;
/** It only counts: traffic is the same without it. */
const MONGO = `${NETWORK}.mongo_proxy.v3.MongoProxy`;

const typeOf = ({ typedConfig }: FilterJson): string => String((typedConfig as { '@type'?: unknown } | undefined)?.['@type'] ?? '');

/** Compiles the filters of one chain: what it ends in, and what stands before that. Undefined without any, or when one was refused. */
export function compileNetworkFilters(
  listener: ListenerJson,
  chain: FilterChainJson,
  path: string,
  statPrefix: string,
  context: ListenerContext,
  problems: ProblemList,
  more: Problem[],
): NetworkFilter | undefined {
  refuseFields('FilterChain', chain, path, problems);
  const { proxyId, node, clusters, stats, record } = context;
  const all = chain.filters ?? [];
  const inFront: ConnectionFilter[] = [];
  let terminal: NetworkFilter | undefined;
  all.forEach((filter, i) => {
    const field = `${path}.filters[${i}]`;
    const config = filter.typedConfig;
    const type = typeOf(filter);
    if (type === MONGO) return;
    if (type === HTTP || type === TCP) {
      if (i !== all.length - 1) problems.invalid(field, 'a terminal filter must be the last');
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
        terminal = compileTcpProxy(config as TcpProxyJson, inFront, `${field}.typedConfig`, context, more);
      }
      return;
    }
    const factory = Object.hasOwn(CONNECTION_FILTERS, type) ? CONNECTION_FILTERS[type] : undefined;
    if (factory === undefined || filter.configDiscovery !== undefined) {
      more.push(refused(field, `the network filter ${filter.name ?? type} is not supported`));
      return;
    }
    const last = all[all.length - 1]!;
    if (typeOf(last) !== TCP) {
      more.push(refused(field, `the network filter ${filter.name ?? type} is supported in front of tcp_proxy only`));
      return;
    }
    const made = factory(config!, { clusters, stats, path: `${field}.typedConfig` });
    more.push(...made.problems);
    if (made.filter !== undefined) inFront.push(made.filter);
  });
  return terminal;
}

function refused(path: string, why: string): Problem {
  return { severity: 'error', rule: 'unsupported/network-filter', message: `${path}: ${why}`, path };
}

function compileTcpProxy(
  config: TcpProxyJson,
  filters: readonly ConnectionFilter[],
  path: string,
  context: ListenerContext,
  problems: Problem[],
): NetworkFilter | undefined {
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
    record(entry: RequestRecord & StreamInfo, tls, metadata) {
      if (logs.records.direction !== undefined) entry.direction = logs.records.direction;
      record(entry);
      if (logs.loggers.length === 0) return;
      if (tls !== undefined) addTlsInfo(entry, tls);
      if (metadata !== undefined) entry.metadata = metadata;
      for (const logger of logs.loggers) logger.log(entry);
    },
  });
  return {
    kind: 'tcp',
    serve: filters.length === 0 ? serve : (socket, info) => serve(socket, info, createAdmission(filters, info)),
  };
}
