import type { FilterChainJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import { listenerAccessLogs } from '../access-log.ts';
import type { BuildContext } from '../context.ts';
import { httpConnectionManager } from '../http-connection-manager.ts';
import {
  ALLOW_ANY_DYNAMIC_DNS,
  httpStatPrefix,
  VIRTUAL_OUTBOUND,
  VIRTUAL_OUTBOUND_BLACK_HOLE,
  VIRTUAL_OUTBOUND_CATCH_ALL,
  VIRTUAL_OUTBOUND_CATCH_ALL_HTTP,
} from '../names.ts';
import { PLAIN_HTTP_PROTOCOLS } from '../protocols.ts';
import { catchAllVirtualHost, unknownTcpCluster } from '../routes/catch-all.ts';
import { fixedTcpFilters } from '../tcp-proxy.ts';
import { unknownTraffic } from '../unknown-traffic.ts';
import { listenerAddress } from './address.ts';
import { inspectorsFor } from './assemble.ts';
import { additionalAddresses, wildcards } from './families.ts';
import { detectionTimeout, FAIR_ACCEPT } from './filters.ts';
import { blackHoleChain } from './fixed-chains.ts';

const defaultPort = 15001;

/** Dynamic DNS: what looks like HTTP on a port that nothing else listens on goes where its Host header says. */
function dynamicDnsChain(context: BuildContext): FilterChainJson {
  const hcm = httpConnectionManager(context, {
    role: 'outbound',
    statPrefix: httpStatPrefix('outbound', VIRTUAL_OUTBOUND),
    routes: { name: ALLOW_ANY_DYNAMIC_DNS, virtualHosts: [catchAllVirtualHost(context)], validateClusters: false },
    protocol: 'HTTP',
  });
  return {
    name: VIRTUAL_OUTBOUND_CATCH_ALL_HTTP,
    filterChainMatch: { transportProtocol: 'raw_buffer', applicationProtocols: [...PLAIN_HTTP_PROTOCOLS] },
    filters: [hcm],
  };
}

/** The listener that redirected connections arrive at; it hands them to the one that their original destination names, or keeps them. */
export function virtualOutbound(context: BuildContext): ListenerJson {
  const port = context.mesh.config.proxyListenPort || defaultPort;
  const { bind, more } = wildcards(context.proxy);
  const logs = listenerAccessLogs(context);
  const dynamic = unknownTraffic(context.scope) === 'ALLOW_ANY_DYNAMIC_DNS' ? [dynamicDnsChain(context)] : [];
  const filterChains = [
    blackHoleChain(context, VIRTUAL_OUTBOUND_BLACK_HOLE, port),
    ...dynamic,
    { name: VIRTUAL_OUTBOUND_CATCH_ALL, filters: fixedTcpFilters(context, unknownTcpCluster(context)) },
  ];
  return {
    name: VIRTUAL_OUTBOUND,
    address: listenerAddress(bind, port),
    ...additionalAddresses(more, port),
    filterChains,
    useOriginalDst: true,
    ...(dynamic.length > 0 && { listenerFilters: inspectorsFor(filterChains), ...detectionTimeout(context) }),
    trafficDirection: 'OUTBOUND',
    ...(context.proxy.interception === 'TPROXY' && { transparent: true }),
    ...(logs.length > 0 && { accessLog: logs }),
    ...FAIR_ACCEPT,
  };
}
