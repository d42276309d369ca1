/** The span of one exchange. Envoy: ConnectionManagerImpl::ActiveStream::traceRequest, HttpTracerUtility::finalizeDownstreamSpan. */

import { removeHeader, setHeader } from '../../../src/routing/header-mutation.ts';
import { headerView } from '../../../src/routing/header-view.ts';
import type { StreamInfo } from '../../../src/routing/stream-info.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import type { Exchange } from '../http/exchange.ts';
import type { RawHeaders } from '../types.ts';
import type { Tracing } from './compile-tracing.ts';

const DECORATOR = 'x-envoy-decorator-operation';
/** The reasons in a request id for which it is traced; see request-id.ts. */
const TRACED_ID = /^[\da-f]{8}-[\da-f]{4}-[9ab][\da-f]{3}-/i;
/** gRPC's codes that say that the server failed. */
const GRPC_FAILURES: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);

/** Begins the span once the route is known; headers of the request change. */
export function startSpan(exchange: Exchange, tracing: Tracing): void {
  const { request } = exchange;
  const decorator = exchange.decision?.route?.json.decorator;
  const context = tracing.start(
    (name) => request.firstHeader(name),
    request.headers,
    TRACED_ID.test(request.firstHeader('x-request-id') ?? ''),
  );
  const operation = decorator?.operation ?? '';
  const propagates = operation !== '' && decorator?.propagate !== false;
  const span = { ...context, name: operation || (tracing.egress ? `egress ${request.authority}` : 'ingress'), decorated: propagates };
  if (tracing.egress) {
    if (propagates) setHeader(request.headers, DECORATOR, operation);
  } else {
    const given = request.firstHeader(DECORATOR);
    if (given !== undefined) {
      if (given !== '') {
        span.name = given;
        span.decorated = false;
      }
      removeHeader(request.headers, DECORATOR);
    }
  }
  request.headersChanged();
  exchange.span = span;
}

/** The other side may name the operation: a server tells the client's side, and is not told to the client itself. */
export function spanSeesResponse(exchange: Exchange, tracing: Tracing, headers: RawHeaders): void {
  const { span } = exchange;
  if (span === undefined) return;
  if (!tracing.egress) {
    if (span.decorated) setHeader(headers, DECORATOR, span.name);
    return;
  }
  const at = headers.indexOf(DECORATOR);
  if (at < 0 || at % 2 !== 0) return;
  if (headers[at + 1] !== '') span.name = headers[at + 1]!;
  removeHeader(headers, DECORATOR);
}

/** Ends the span, and reports it when it is sampled. */
export function finishSpan(exchange: Exchange, tracing: Tracing, record: RequestRecord & StreamInfo): void {
  const { span } = exchange;
  if (span === undefined || !span.sampled) return;
  const { tags, error } = tagsOf(exchange, tracing, record);
  const { traceId, spanId, parentId, sampled, name } = span;
  tracing.report({
    ...{ traceId, spanId, parentId, sampled, name, tags, error },
    kind: tracing.egress ? 'CLIENT' : 'SERVER',
    start: Math.round((performance.timeOrigin + exchange.started) * 1000),
    duration: Math.max(1, Math.round(record.duration * 1000)),
  });
}

function tagsOf(exchange: Exchange, { node, maxPath, customTags }: Tracing, record: RequestRecord & StreamInfo) {
  const { request, connection } = exchange;
  const tags: Record<string, string> = {
    component: 'proxy',
    node_id: node.id,
    zone: node.zone,
    'guid:x-request-id': record.requestId,
    'http.url': `${request.forwardedProto}://${record.authority}${record.path.slice(0, maxPath)}`,
    'http.method': record.method,
    downstream_cluster: request.firstHeader('x-envoy-downstream-service-cluster') || '-',
    user_agent: record.userAgent || '-',
    'http.protocol': record.protocol,
    'peer.address': connection.info.directRemoteIp,
    request_size: String(record.bytesReceived),
    response_size: String(record.bytesSent),
    'http.status_code': String(record.status),
    response_flags: record.flags,
  };
  if (record.requestId === '') delete tags['guid:x-request-id'];
  if (record.upstreamCluster !== '') {
    const config = exchange.manager.clusters.get(record.upstreamCluster)?.config;
    tags['upstream_cluster'] = record.upstreamCluster;
    tags['upstream_cluster.name'] = config?.altStatName || record.upstreamCluster;
  }
  let error = record.status === 0 || record.status >= 500;
  if (record.grpc) error = addGrpcTags(exchange, record, tags) || error;
  for (const { tag, value } of customTags) {
    const found = value(record);
    if (found !== undefined) tags[tag] = found;
  }
  if (error) tags['error'] = 'true';
  return { tags, error };
}

function addGrpcTags(
  { request, responseHeaders, responseTrailers }: Exchange,
  record: RequestRecord,
  tags: Record<string, string>,
): boolean {
  tags['grpc.path'] = request.path;
  tags['grpc.authority'] = record.authority;
  tags['grpc.content_type'] = request.firstHeader('content-type') ?? '';
  const timeout = request.firstHeader('grpc-timeout');
  if (timeout !== undefined) tags['grpc.timeout'] = timeout;
  if (record.grpcStatus === undefined) return false;
  tags['grpc.status_code'] = String(record.grpcStatus);
  const message = headerView(responseTrailers ?? []).header('grpc-message') ?? headerView(responseHeaders ?? []).header('grpc-message');
  if (message !== undefined) tags['grpc.message'] = message;
  return GRPC_FAILURES.has(record.grpcStatus);
}
