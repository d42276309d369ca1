import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { Problem } from '../../../src/errors.ts';
import { compileClientCertificateHeader } from '../../../src/routing/client-certificate-header.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import { compileHttpFilters } from '../filters/http-filters.ts';
import { refuseFields } from '../listener/unsupported.ts';
import { compileTracing } from '../tracing/compile-tracing.ts';
import type { TracingNode } from '../tracing/span.ts';
import type { ClusterManager, StatsRegistry } from '../types.ts';
import { compileAccessLoggers } from './access-loggers.ts';
import { compileClientPolicy, nodeAddress } from './client-policy.ts';
import type { ConnectionManager, RouteSlot } from './connection-manager.ts';
import { createHttpStats } from './http-stats.ts';
import { routeStatsOf } from './route-stats.ts';
import { readHttpSettings } from './settings.ts';

export interface ConnectionManagerContext {
  proxyId: string;
  node: TracingNode;
  inbound: boolean;
  outbound: boolean;
  /** `listener.0.0.0.0_8080`. */
  listenerStats: string;
  bufferLimit: number | null | undefined;
  clusters: ClusterManager;
  stats: StatsRegistry;
  record(record: RequestRecord): void;
  /** A route configuration: by name, or inline. A problem is reported by the resolver itself. */
  routes(json: HttpConnectionManagerJson, path: string, problems: ProblemList): RouteSlot | undefined;
}

/** Compiles an HttpConnectionManager; `path` leads to its typedConfig. With an error among the problems there is no manager. */
export function compileConnectionManager(
  json: HttpConnectionManagerJson,
  path: string,
  context: ConnectionManagerContext,
): { manager: ConnectionManager | undefined; problems: readonly Problem[] } {
  const problems = new ProblemList();
  refuseFields('HttpConnectionManager', json, path, problems);
  refuseFields('HttpProtocolOptions1', json.httpProtocolOptions ?? {}, `${path}.httpProtocolOptions`, problems);
  refuseFields('HttpProtocolOptions2', json.http2ProtocolOptions ?? {}, `${path}.http2ProtocolOptions`, problems);
  for (const [i, upgrade] of (json.upgradeConfigs ?? []).entries())
    if ((upgrade.filters ?? []).length > 0) problems.unsupported(`${path}.upgradeConfigs[${i}].filters`, 'upgrades pass the usual filters');
  const { settings, problems: ofSettings } = readHttpSettings(json, path, context.bufferLimit);
  const chain = compileHttpFilters(json.httpFilters ?? [], path, settings.statPrefix, context.stats);
  const logs = compileAccessLoggers(json.accessLog, path);
  const { node, outbound, clusters, stats } = context;
  const tracing = compileTracing(
    json.tracing,
    `${path}.tracing`,
    { node, egress: outbound, clusters, stats, address: nodeAddress() },
    problems,
  );
  const client = compileClientPolicy(json, path, problems);
  const clientCertificate = compileClientCertificateHeader(json, path, problems);
  const routes = context.routes(json, path, problems);
  const all = [...problems.all, ...ofSettings, ...chain.problems, ...logs.problems];
  if (routes === undefined || all.some((p) => p.severity === 'error')) return { manager: undefined, problems: all };
  const escaped = json.pathWithEscapedSlashesAction;
  const manager: ConnectionManager = {
    proxyId: context.proxyId,
    // Istio sets use_remote_address on gateways alone.
    direction: logs.records.direction ?? (context.inbound ? 'inbound' : json.useRemoteAddress === true ? 'gateway' : 'outbound'),
    settings,
    stats: createHttpStats(context.stats, settings.statPrefix, context.listenerStats),
    routeStats: (decision) => routeStatsOf(context.stats, decision),
    path: {
      normalizePath: json.normalizePath === true,
      mergeSlashes: json.mergeSlashes === true,
      escapedSlashes: escaped === undefined || escaped === 'IMPLEMENTATION_SPECIFIC_DEFAULT' ? 'KEEP_UNCHANGED' : escaped,
      // As Istio's bootstrap says (http_reject_path_with_fragment).
      rejectFragment: false,
    },
    client,
    requestIdInResponse: json.alwaysSetRequestIdInResponse === true,
    clientCertificate,
    routes,
    filters: chain.filters,
    router: chain.router,
    clusters: context.clusters,
    tracing,
    accessLogs: logs.loggers,
    recordHeaders: logs.records.headers,
    record: context.record,
  };
  return { manager, problems: all };
}
