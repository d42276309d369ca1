import type { FilterChainJson, FilterJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ServerTLSSettings } from '../../config/kinds/networking.ts';
import { problemAt } from '../../mesh/problem.ts';
import { isHttp } from '../../mesh/protocol.ts';
import type { Protocol } from '../../mesh/types.ts';
import type { BuildContext } from '../context.ts';
import { httpConnectionManager } from '../http-connection-manager.ts';
import {
  httpStatPrefix,
  INBOUND_PASSTHROUGH_CLUSTER,
  inboundClusterName,
  STAT_DELIMITER,
  VIRTUAL_INBOUND,
  VIRTUAL_INBOUND_CATCH_ALL_HTTP,
} from '../names.ts';
import { fixedTcpFilters } from '../tcp-proxy.ts';
import { meshServerSocket } from '../tls/mesh-server.ts';
import { endsTls, serverCredentials, serverSocket } from '../tls/server.ts';
import { type ChainShape, chainMatch, chainShapes } from './chain-shapes.ts';
import type { InboundPort } from './ports.ts';
import { inboundRoutes } from './routes.ts';
import { inboundTlsMode, ownTls } from './tls-mode.ts';

function kindOf(protocol: Protocol): 'http' | 'tcp' | 'detected' {
  return isHttp(protocol) ? 'http' : protocol === 'detected' ? 'detected' : 'tcp';
}

function httpFilter(context: BuildContext, port: InboundPort): FilterJson {
  const cluster = inboundClusterName(port.targetPort);
  return httpConnectionManager(context, {
    role: 'inbound',
    statPrefix: httpStatPrefix('inbound', port.name),
    routes: inboundRoutes(cluster, port.servicePort, port.host, port.protocol),
    protocol: port.protocol,
  });
}

const meshSocket = ({ mesh }: BuildContext, shape: ChainShape): Pick<FilterChainJson, 'transportSocket'> =>
  shape.meshTls ? { transportSocket: meshServerSocket(mesh.config, shape.speaks) } : {};

/** The chain of a port with TLS of its own, which ends here: an HTTPS port is HTTP then. */
function ownTlsChain(context: BuildContext, port: InboundPort, tls: ServerTLSSettings, captured: boolean): FilterChainJson {
  const cluster = inboundClusterName(port.targetPort);
  const http = isHttp(port.protocol) || port.protocol === 'HTTPS';
  return {
    name: port.name,
    filterChainMatch: { ...(captured && { destinationPort: port.targetPort }), transportProtocol: 'tls' },
    filters: http
      ? [httpFilter(context, port.protocol === 'HTTPS' ? { ...port, protocol: 'HTTP' } : port)]
      : fixedTcpFilters(context, cluster, cluster, port.protocol),
    transportSocket: serverSocket(tls, context.mesh.config, http ? 'http' : 'tcp')!,
    ...(port.metadata && { metadata: port.metadata }),
  };
}

/** Says why the TLS of an ingress port has no effect, or why nobody can connect there. */
function reportOwnTls({ scope, problems }: BuildContext, port: InboundPort, rule: string, message: string): void {
  if (scope.sidecar === undefined || port.field === undefined) return;
  problems.push(problemAt(scope.sidecar, [...port.field, 'tls'], { severity: 'warning', rule, message }));
}

/**
 * The filter chains of one port.
 *
 * @param captured connections of all ports arrive at one listener, so that chains must name theirs
 */
export function portChains(context: BuildContext, port: InboundPort, captured: boolean): FilterChainJson[] {
  const cluster = inboundClusterName(port.targetPort);
  const mode = inboundTlsMode(context, port.targetPort);
  const tls = ownTls(context, port);
  if (tls !== undefined) {
    const credentials = serverCredentials(tls);
    if (!('missing' in credentials)) return [ownTlsChain(context, port, tls, captured)];
    reportOwnTls(context, port, 'sidecar/no-certificate', `${credentials.missing}; the port is left out`);
    return [];
  }
  if (port.tls !== undefined && endsTls(port.tls)) {
    const why = `mesh TLS is ${mode} on port ${port.targetPort}: \`tls\` of the ingress has no effect`;
    reportOwnTls(context, port, 'sidecar/mesh-tls', `${why} unless a PeerAuthentication says DISABLE for the port`);
  }
  return chainShapes(kindOf(port.protocol), mode).map((shape) => ({
    name: port.name,
    filterChainMatch: chainMatch(shape, captured ? port.targetPort : undefined),
    filters: shape.speaks === 'http' ? [httpFilter(context, port)] : fixedTcpFilters(context, cluster, cluster, port.protocol),
    ...meshSocket(context, shape),
    ...(port.metadata && { metadata: port.metadata }),
  }));
}

/**
 * The filter chains of ports that no service has: passed on to where they were going.
 *
 * @param port one that a PeerAuthentication names; undefined for all others
 */
export function unknownPortChains(context: BuildContext, port?: number): FilterChainJson[] {
  const cluster = INBOUND_PASSTHROUGH_CLUSTER;
  return chainShapes('detected', inboundTlsMode(context, port)).map((shape) => ({
    name: shape.speaks === 'http' ? VIRTUAL_INBOUND_CATCH_ALL_HTTP : VIRTUAL_INBOUND,
    filterChainMatch: chainMatch(shape, port),
    filters:
      shape.speaks === 'http'
        ? [
            httpConnectionManager(context, {
              role: 'inbound',
              statPrefix: `${cluster}${STAT_DELIMITER}`,
              routes: inboundRoutes(cluster, 0, '', 'detected'),
              protocol: 'detected',
            }),
          ]
        : fixedTcpFilters(context, cluster),
    ...meshSocket(context, shape),
  }));
}
