import type { FilterChainJson, FilterJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
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
import { chainMatch, chainShapes } from './chain-shapes.ts';
import type { InboundPort } from './ports.ts';
import { inboundRoutes } from './routes.ts';
import { inboundTlsMode } from './tls-mode.ts';

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

/**
 * The filter chains of one port.
 *
 * @param captured connections of all ports arrive at one listener, so that chains must name theirs
 */
export function portChains(context: BuildContext, port: InboundPort, captured: boolean): FilterChainJson[] {
  const cluster = inboundClusterName(port.targetPort);
  return chainShapes(kindOf(port.protocol), inboundTlsMode(context, port.targetPort)).map((shape) => ({
    name: port.name,
    filterChainMatch: chainMatch(shape, captured ? port.targetPort : undefined),
    filters: shape.speaks === 'http' ? [httpFilter(context, port)] : fixedTcpFilters(context, cluster, cluster, port.protocol),
    ...(port.metadata && { metadata: port.metadata }),
  }));
}

/** The filter chains of ports that no service has: passed on to where they were going. */
export function unknownPortChains(context: BuildContext): FilterChainJson[] {
  const cluster = INBOUND_PASSTHROUGH_CLUSTER;
  return chainShapes('detected', inboundTlsMode(context, undefined)).map((shape) => ({
    name: shape.speaks === 'http' ? VIRTUAL_INBOUND_CATCH_ALL_HTTP : VIRTUAL_INBOUND,
    filterChainMatch: chainMatch(shape, undefined),
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
  }));
}
