import { isGrpc } from '../../../src/routing/grpc.ts';
import { removeHopByHop } from '../../../src/routing/hop-by-hop.ts';
import { JOINED_REQUEST_HEADERS, joinRepeated } from '../../../src/routing/joined-headers.ts';
import { normalizeRequestPath } from '../../../src/routing/path.ts';
import type { Exchange } from './exchange.ts';

/**
 * What the connection manager does with a request before routing: it refuses what is no proper request, normalizes the path, sets
 * the headers of the hop. False when it was answered. Envoy: ConnectionManagerImpl::ActiveStream::decodeHeaders.
 */
export function admitRequest(exchange: Exchange): boolean {
  const { request, manager, connection, stream } = exchange;
  const { settings, stats } = manager;
  exchange.grpc = isGrpc(request);
  if (stream.protocol === 'HTTP/1.0' && !settings.acceptHttp10) {
    exchange.addFlag('DPE');
    connection.closeAfterResponse();
    exchange.localReply(426, 'Upgrade Required', 'low_version');
    return false;
  }
  // RFC 9112 3.2.
  if (request.authority === '') return refuseForGood(exchange, 'missing_host_header');
  if (request.headers.length > 2 * settings.maxHeaders) {
    exchange.addFlag('DPE');
    connection.closeAfterResponse();
    exchange.localReply(431, 'Request Header Fields Too Large', 'http1.too_many_headers');
    return false;
  }
  joinRepeated(request.headers, JOINED_REQUEST_HEADERS);
  if (!admitNames(exchange)) return refuse(exchange, 400, 'unexpected_underscore');
  if (request.path === '') {
    if (exchange.upgrade !== 'connect') return refuse(exchange, 404, 'missing_path_rejected');
  } else if (request.path.charCodeAt(0) !== 47) {
    stats.rqNonRelativePath.value++;
    return refuse(exchange, 404, 'absolute_path_rejected');
  } else {
    const outcome = normalizeRequestPath(request.path, manager.path);
    if (outcome.action !== 'accept') {
      stats.rqPathRejected.value++;
      if (outcome.action === 'reject') return refuseForGood(exchange, outcome.details);
      exchange.localReply(307, '', 'path_normalization_failed', ['location', outcome.path]);
      return false;
    }
    request.path = outcome.path;
  }
  if (settings.stripTrailingDot || settings.stripPort !== 'no') stripHost(exchange);
  if (!removeHopByHop(request.headers)) return refuseForGood(exchange, 'connection_header_sanitization_failed');
  const { tls } = connection.info;
  manager.clientCertificate(request.headers, tls);
  if (tls !== undefined) request.tls = { presented: tls.peer !== undefined, validated: tls.peer !== undefined };
  const client = manager.client.apply(request.headers, connection.info, manager.routes.current.internalOnlyHeaders);
  request.remoteAddress = client.clientAddress;
  request.internal = client.internal;
  request.forwardedProto = client.forwardedProto;
  if (request.scheme === '') request.scheme = client.scheme;
  request.headersChanged();
  return true;
}

function refuse(exchange: Exchange, status: number, details: string): false {
  exchange.localReply(status, '', details);
  return false;
}

/** A message that may have been meant to be read in two ways: nothing more is read on its connection, as in Envoy. */
function refuseForGood(exchange: Exchange, details: string): false {
  exchange.connection.closeAfterResponse();
  return refuse(exchange, 400, details);
}

/** headers_with_underscores_action. */
function admitNames({ request, manager }: Exchange): boolean {
  const { underscores } = manager.settings;
  if (underscores === 'ALLOW') return true;
  const { headers } = request;
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (!headers[i]!.includes('_')) continue;
    if (underscores === 'REJECT_REQUEST') return false;
    headers.splice(i, 2);
  }
  return true;
}

function stripHost({ request, manager, connection }: Exchange): void {
  const { settings } = manager;
  const found = /^(.*?)(\.?)(:\d+)?$/.exec(request.authority);
  if (found === null || request.authority.endsWith(']')) return;
  const [, host = '', dot = '', port = ''] = found;
  const cut = settings.stripPort === 'any' || (settings.stripPort === 'matching' && port === `:${connection.info.localPort}`);
  request.authority = host + (settings.stripTrailingDot ? '' : dot) + (cut ? '' : port);
}
