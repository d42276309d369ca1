import type { FilterChainJson, ListenerFilterJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import { listenerAccessLogs } from '../access-log.ts';
import type { BuildContext } from '../context.ts';
import { listenerName } from '../names.ts';
import { PLAIN_HTTP_PROTOCOLS } from '../protocols.ts';
import { isUnixBind, listenerAddress, unixPath } from './address.ts';
import { isMatchAll, type ListenerEntry } from './entry.ts';
import { additionalAddresses, isWildcardBind } from './families.ts';
import { detectionTimeout, FAIR_ACCEPT, httpInspector, tlsInspector } from './filters.ts';
import { passthroughChain } from './fixed-chains.ts';

/** Listener filters that chains need: SNI is found by tls_inspector, plain HTTP by http_inspector. */
export function inspectorsFor(chains: readonly FilterChainJson[]): ListenerFilterJson[] {
  const sni = chains.some((c) => c.filterChainMatch?.serverNames?.length);
  const http = chains.some(
    (c) => c.filterChainMatch?.applicationProtocols?.length && c.filterChainMatch.transportProtocol === 'raw_buffer',
  );
  return [...(sni ? [tlsInspector] : []), ...(http ? [httpInspector] : [])];
}

/** The HTTP chain as it is matched: on an address of its own without TCP beside it, everything; else what looks like plain HTTP. */
function httpChain(entry: ListenerEntry): FilterChainJson | undefined {
  if (entry.http === undefined) return undefined;
  if (entry.tcp.length === 0 && !isWildcardBind(entry.bind)) return entry.http;
  return { filterChainMatch: { transportProtocol: 'raw_buffer', applicationProtocols: [...PLAIN_HTTP_PROTOCOLS] }, ...entry.http };
}

/** Envoy's listener of an entry: a chain that takes everything becomes the default chain, unless it is the only one. */
export function assembleListener(context: BuildContext, entry: ListenerEntry): ListenerJson {
  const http = httpChain(entry);
  const all = [...(http ? [http] : []), ...entry.tcp.map((t) => t.chain)];
  const everything = all.find((c) => isMatchAll(c.filterChainMatch));
  const single = all.length === 1 && everything !== undefined;
  const filterChains = single ? all : all.filter((c) => c !== everything);
  const inspectors = inspectorsFor(filterChains);
  const logs = listenerAccessLogs(context);
  const { bind, more, port, bindToPort } = entry;
  return {
    name: isUnixBind(bind) ? unixPath(bind) : listenerName(bind, port),
    address: listenerAddress(bind, port),
    ...additionalAddresses(more, port),
    filterChains,
    ...(!single && { defaultFilterChain: everything ?? passthroughChain(context) }),
    ...(inspectors.length > 0 && { listenerFilters: inspectors }),
    ...detectionTimeout(context),
    trafficDirection: 'OUTBOUND',
    ...(logs.length > 0 && { accessLog: logs }),
    ...(bindToPort ? FAIR_ACCEPT : { bindToPort: false }),
  };
}
