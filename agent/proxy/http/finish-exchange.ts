import type { HeaderSource } from '../../../src/routing/header-matcher.ts';
import { clusterName } from '../../../src/routing/match.ts';
import type { StreamInfo } from '../../../src/routing/stream-info.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import { addTlsInfo } from '../tls/tls-info.ts';
import { finishSpan } from '../tracing/exchange-span.ts';
import type { Exchange } from './exchange.ts';
import { grpcStatusIn } from './grpc-status-in.ts';
import { provenanceOf } from './route-provenance.ts';

/** The end of a request: stats, its record, the access logs. */
export function finishExchange(exchange: Exchange): void {
  const { manager, status } = exchange;
  const { stats } = manager;
  const duration = performance.now() - exchange.started;
  stats.rqActive.value--;
  stats.rqTime.record(duration);
  if (status > 0) {
    stats.rqCompleted.value++;
    stats.listenerCompleted.value++;
    const hundreds = (status / 100) | 0;
    const counter = stats.rqClass[hundreds];
    if (counter !== undefined) {
      counter.value++;
      stats.listenerClass[hundreds]!.value++;
    }
  }
  const record = recordOf(exchange, duration);
  manager.record(record);
  const { accessLogs, tracing } = manager;
  if (accessLogs.length > 0 || tracing !== undefined) {
    const info = streamInfo(exchange, record);
    if (tracing !== undefined) finishSpan(exchange, tracing, info);
    for (let i = 0; i < accessLogs.length; i++) accessLogs[i]!.log(info);
  }
}

/** What is known of a request at this moment, for header formats. */
export function exchangeInfo(exchange: Exchange): StreamInfo {
  return streamInfo(exchange, recordOf(exchange, performance.now() - exchange.started));
}

function streamInfo(exchange: Exchange, record: RequestRecord): RequestRecord & StreamInfo {
  const info = record as RequestRecord & StreamInfo;
  info.request = exchange.request;
  if (exchange.responseHeaders !== undefined) info.responseHeaders = exchange.responseHeaders;
  if (exchange.responseTrailers !== undefined) info.responseTrailers = exchange.responseTrailers;
  info.connectionId = exchange.connection.info.id;
  info.filterChainName = exchange.connection.info.filterChain;
  info.downstreamDirectRemoteAddress = exchange.connection.info.remoteAddress;
  const { tls } = exchange.connection.info;
  if (tls !== undefined) addTlsInfo(info, tls);
  if (exchange.requestEnded) info.requestDuration = exchange.requestEndedAt - exchange.started;
  if (exchange.request.metadata !== undefined) info.metadata = exchange.request.metadata;
  const virtualHost = exchange.decision?.virtualHost?.name;
  if (virtualHost !== undefined) info.virtualHost = virtualHost;
  const metadata = exchange.decision?.route?.json.metadata?.filterMetadata;
  if (metadata !== undefined) info.routeMetadata = metadata;
  return info;
}

function recordOf(exchange: Exchange, duration: number): RequestRecord {
  const { request, decision, connection, manager } = exchange;
  const { info } = connection;
  const route = decision?.route;
  const provenance = provenanceOf(route);
  const record: RequestRecord = {
    proxy: manager.proxyId,
    startTime: exchange.startTime,
    duration,
    direction: manager.direction,
    protocol: exchange.stream.protocol,
    grpc: exchange.grpc,
    method: request.method,
    authority: request.authority,
    path: request.firstHeader('x-envoy-original-path') ?? request.path,
    status: exchange.status,
    flags: exchange.flags,
    details: exchange.details,
    terminationDetails: exchange.terminationDetails,
    upstreamTransportFailure: exchange.upstreamTransportFailure,
    bytesReceived: exchange.bytesReceived,
    bytesSent: exchange.bytesSent,
    upstreamServiceTime: exchange.upstreamServiceTime,
    upstreamHost: exchange.upstreamHost?.address ?? '',
    upstreamCluster: exchange.upstreamCluster || routedCluster(exchange),
    upstreamLocalAddress: exchange.upstreamLocalAddress,
    downstreamLocalAddress: info.localAddress,
    downstreamRemoteAddress: exchange.trustedAddress(),
    sni: info.sni,
    routeName: route?.name ?? '',
    userAgent: request.firstHeader('user-agent') ?? '',
    requestId: request.firstHeader('x-request-id') ?? '',
    forwardedFor: request.firstHeader('x-forwarded-for') ?? '',
    attempts: exchange.attempts,
    grpcStatus: exchange.grpc ? (grpcStatusIn(exchange.responseTrailers) ?? grpcStatusIn(exchange.responseHeaders)) : undefined,
    config: provenance.config,
    field: provenance.field,
  };
  const principal = info.tls?.peer?.uriSans[0];
  if (principal !== undefined) record.peerPrincipal = principal;
  if (exchange.grpcMessages !== undefined) {
    record.grpcRequestMessages = exchange.grpcMessages.request.count;
    record.grpcResponseMessages = exchange.grpcMessages.response.count;
  }
  if (manager.recordHeaders.length > 0) record.requestHeaders = keptHeaders(request, manager.recordHeaders);
  return record;
}

/** Where the route leads, of requests that a filter answered before they got there: Envoy knows it from the routing on. */
function routedCluster({ decision, request, manager }: Exchange): string {
  if (decision?.kind !== 'route') return '';
  const name = clusterName(decision, request);
  return manager.clusters.get(name) === undefined ? '' : name;
}

function keptHeaders(request: HeaderSource, names: readonly string[]): Record<string, string> | undefined {
  const kept: Record<string, string> = {};
  for (const name of names) {
    const values = request.headerValues(name);
    // Envoy: several lines are joined.
    if (values.length > 0) kept[name] = values.join(',');
  }
  return Object.keys(kept).length > 0 ? kept : undefined;
}
