import type { AuthorizationConnection, AuthorizationInput } from '../../../src/authorization/types.ts';
import type { Exchange } from '../http/exchange.ts';
import type { ConnectionInfo } from '../listener/connection.ts';

/** A connection as authorization rules see it; `remoteIp` is who the client is trusted to be. */
export function authorizationConnection(info: ConnectionInfo, remoteIp = info.remoteIp): AuthorizationConnection {
  return {
    tls: info.tls !== undefined,
    peer: info.tls?.peer,
    directRemoteIp: info.directRemoteIp,
    sourceIp: info.remoteIp,
    remoteIp,
    destinationIp: info.localIp,
    destinationPort: info.localPort,
    sni: info.sni,
  };
}

/** A request as authorization rules see it, with what the filters before found out. */
export function authorizationInput(exchange: Exchange): AuthorizationInput {
  const { request, connection, decision } = exchange;
  return {
    connection: authorizationConnection(connection.info, request.remoteAddress === '' ? undefined : request.remoteAddress),
    request,
    metadata: request.metadata,
    routeMetadata: decision?.route === undefined ? undefined : (decision.route.json.metadata?.filterMetadata ?? {}),
  };
}
