import type {
  FilterChainJson,
  ListenerFilterChainMatchPredicateJson,
  ListenerFilterJson,
} from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import { listenerAccessLogs } from '../access-log.ts';
import type { BuildContext } from '../context.ts';
import { isUnixBind, listenerAddress } from '../listeners/address.ts';
import { additionalAddresses, wildcards } from '../listeners/families.ts';
import { detectionTimeout, FAIR_ACCEPT, httpInspector, originalDst, originalSrc, tlsInspector } from '../listeners/filters.ts';
import { blackHoleChain } from '../listeners/fixed-chains.ts';
import { VIRTUAL_INBOUND, VIRTUAL_INBOUND_BLACK_HOLE } from '../names.ts';
import { portChains, unknownPortChains } from './chains.ts';
import { type InboundPort, inboundPorts } from './ports.ts';
import { inboundTlsMode, ownTls, portsOfPolicyAlone } from './tls-mode.ts';

const defaultPort = 15006;

/** A listener filter that lets the connections of some ports alone. */
function disabledFor(filter: ListenerFilterJson, ports: readonly number[]): ListenerFilterJson {
  const rules: ListenerFilterChainMatchPredicateJson[] = ports.map((port) => ({ destinationPortRange: { start: port, end: port + 1 } }));
  return { ...filter, filterDisabled: rules.length === 1 ? rules[0]! : { orMatch: { rules } } };
}

/** The listener that captured connections to the workload arrive at. */
function virtualInbound(context: BuildContext, ports: readonly InboundPort[]): ListenerJson {
  const capture = context.mesh.config.proxyInboundListenPort || defaultPort;
  const { bind, more } = wildcards(context.proxy);
  const logs = listenerAccessLogs(context);
  const transparent = context.proxy.interception === 'TPROXY';
  const others = portsOfPolicyAlone(context, ports);
  const plain = (port: number): boolean => inboundTlsMode(context, port) === 'DISABLE';
  const plainOnly = [...ports.filter((p) => ownTls(context, p) === undefined).map((p) => p.targetPort), ...others].filter(plain);
  const declared = ports.filter((p) => p.protocol !== 'detected').map((p) => p.targetPort);
  return {
    name: VIRTUAL_INBOUND,
    address: listenerAddress(bind, capture),
    ...additionalAddresses(more, capture),
    filterChains: [
      blackHoleChain(context, VIRTUAL_INBOUND_BLACK_HOLE, capture),
      ...unknownPortChains(context),
      ...others.flatMap((p) => unknownPortChains(context, p)),
      ...ports.flatMap((p) => portChains(context, p, true)),
    ],
    listenerFilters: [
      originalDst,
      ...(transparent ? [originalSrc] : []),
      disabledFor(tlsInspector, [capture, ...plainOnly]),
      disabledFor(httpInspector, [capture, ...declared]),
    ],
    ...detectionTimeout(context),
    trafficDirection: 'INBOUND',
    ...(transparent && { transparent: true }),
    ...(logs.length > 0 && { accessLog: logs }),
    ...FAIR_ACCEPT,
  };
}

function inspectors(chains: readonly FilterChainJson[]): ListenerFilterJson[] {
  const tls = chains.some((c) => c.filterChainMatch?.transportProtocol === 'tls');
  // What is inside TLS is told by its handshake.
  const http = chains.some(
    (c) => c.filterChainMatch?.transportProtocol === 'raw_buffer' && c.filterChainMatch.applicationProtocols?.length,
  );
  return [...(tls ? [tlsInspector] : []), ...(http ? [httpInspector] : [])];
}

/** A Sidecar's ingress port that clients connect to without capture. */
function boundListener(context: BuildContext, port: InboundPort): ListenerJson | undefined {
  const filterChains = portChains(context, port, false);
  if (filterChains.length === 0) return undefined;
  const filters = inspectors(filterChains);
  const logs = listenerAccessLogs(context);
  return {
    name: port.name,
    address: listenerAddress(port.bind, isUnixBind(port.bind) ? 0 : port.targetPort),
    filterChains,
    ...(filters.length > 0 && { listenerFilters: filters }),
    ...detectionTimeout(context),
    trafficDirection: 'INBOUND',
    ...(logs.length > 0 && { accessLog: logs }),
    ...FAIR_ACCEPT,
  };
}

/** The listeners on which a sidecar's application is called. Without capture only a Sidecar's ingress ports can be: they bind. */
export function inboundListeners(outer: BuildContext): ListenerJson[] {
  const context: BuildContext = { ...outer, receives: true };
  const { scope, proxy } = context;
  if (proxy.interception !== 'NONE') return [virtualInbound(context, inboundPorts(context))];
  return scope.ingress?.length ? inboundPorts(context).flatMap((p) => boundListener(context, p) ?? []) : [];
}
