import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { FilterChainJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { EnvoyConfigObjectMatch, EnvoyConfigObjectPatch } from '../../config/kinds/networking.ts';
import type { Snapshot } from '../../envoy/snapshot.ts';

type Match = EnvoyConfigObjectMatch;
type Context = 'SIDECAR_INBOUND' | 'SIDECAR_OUTBOUND' | 'GATEWAY';

/**
 * Whether a patch finds an object of a proxy's config that it is for. True where that is not decided here: names of filters, which depend
 * on what else the control plane puts in, the proxy's version and metadata, and whatever adds to the config as a whole.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/envoy-filter/
 */
export function patchFinds({ applyTo = 'INVALID', match = {}, patch }: EnvoyConfigObjectPatch, snapshot: Snapshot): boolean {
  const { operation } = patch ?? {};
  if (applyTo === 'BOOTSTRAP' || applyTo === 'EXTENSION_CONFIG' || match.context === 'WAYPOINT' || match.waypoint !== undefined)
    return true;
  const contexts = contextsOf(snapshot, match.context);
  if (contexts.length === 0) return false;
  const adds = operation === 'ADD';
  if (applyTo === 'CLUSTER') return adds || snapshot.clusters.some((cluster) => clusterHolds(cluster, match, contexts));
  if (applyTo === 'LISTENER' && adds) return true;
  if (applyTo === 'LISTENER' || applyTo === 'LISTENER_FILTER') return snapshot.listeners.some((one) => listenerHolds(one, match, contexts));
  if (applyTo === 'FILTER_CHAIN' || applyTo === 'NETWORK_FILTER' || applyTo === 'HTTP_FILTER') {
    const chain = applyTo === 'FILTER_CHAIN' && adds ? undefined : match.listener?.filterChain;
    return snapshot.listeners.some(
      (one) => listenerHolds(one, match, contexts) && (chain === undefined || chainsOf(one).some((own) => chainHolds(own, chain))),
    );
  }
  const configs = [...snapshot.routes, ...snapshot.listeners.flatMap((one) => chainsOf(one).flatMap(inlineRoutes))];
  return configs.some((config) => routesHold(config, match, applyTo, adds, contexts));
}

function contextsOf({ proxy }: Snapshot, wanted: string | undefined): Context[] {
  const own: Context[] = proxy.type === 'router' ? ['GATEWAY'] : ['SIDECAR_INBOUND', 'SIDECAR_OUTBOUND'];
  return wanted === undefined || wanted === 'ANY' ? own : own.filter((context) => context === wanted);
}

const INBOUND = /^(?:inbound[|-]|InboundPassthrough|virtualInbound$)/;

/** Whether something of that name is on one of the sides. */
function isOn(name: string | undefined, contexts: readonly Context[]): boolean {
  return contexts.includes('GATEWAY') || contexts.includes(INBOUND.test(name ?? '') ? 'SIDECAR_INBOUND' : 'SIDECAR_OUTBOUND');
}

function clusterHolds({ name = '' }: ClusterJson, { cluster = {} }: Match, contexts: readonly Context[]): boolean {
  if (!isOn(name, contexts)) return false;
  if (cluster.name !== undefined && cluster.name !== '') return cluster.name === name;
  const [, port, subset, host] = name.split('|');
  return (
    (!cluster.portNumber || Number(port) === cluster.portNumber) &&
    (!cluster.subset || subset === cluster.subset) &&
    (!cluster.service || (name.startsWith('inbound') ? true : host === cluster.service))
  );
}

function listenerHolds(one: ListenerJson, { listener = {} }: Match, contexts: readonly Context[]): boolean {
  const inbound = one.trafficDirection === 'INBOUND' || INBOUND.test(one.name ?? '');
  if (!contexts.includes('GATEWAY') && !contexts.includes(inbound ? 'SIDECAR_INBOUND' : 'SIDECAR_OUTBOUND')) return false;
  if (listener.name && listener.name !== one.name) return false;
  const port = one.address?.socketAddress?.portValue;
  // What is intercepted is known by its own port, and gateways listen elsewhere than they are told to.
  const others = chainsOf(one).map((chain) => chain.filterChainMatch?.destinationPort);
  const decided =
    !listener.portNumber || port === listener.portNumber || others.includes(listener.portNumber) || contexts.includes('GATEWAY');
  return decided;
}

function chainsOf({ filterChains = [], defaultFilterChain }: ListenerJson): FilterChainJson[] {
  return defaultFilterChain === undefined ? filterChains : [...filterChains, defaultFilterChain];
}

type ChainMatch = NonNullable<NonNullable<Match['listener']>['filterChain']>;

function chainHolds({ name, filterChainMatch: own = {} }: FilterChainJson, wanted: ChainMatch): boolean {
  return (
    (!wanted.name || wanted.name === name) &&
    (!wanted.sni || (own.serverNames ?? []).includes(wanted.sni)) &&
    (!wanted.destinationPort || own.destinationPort === wanted.destinationPort)
  );
}

function inlineRoutes({ filters = [] }: FilterChainJson): RouteConfigurationJson[] {
  return filters.flatMap(({ typedConfig }) => {
    const { routeConfig } = (typedConfig ?? {}) as { routeConfig?: RouteConfigurationJson };
    return routeConfig === undefined ? [] : [routeConfig];
  });
}

function routesHold(
  config: RouteConfigurationJson,
  { routeConfiguration: wanted = {} }: Match,
  applyTo: string,
  adds: boolean,
  contexts: readonly Context[],
): boolean {
  const { name = '' } = config;
  if (!isOn(name, contexts) || (wanted.name && wanted.name !== name)) return false;
  if (!contexts.includes('GATEWAY') && wanted.portNumber && !new RegExp(`(?:^|[:|])${wanted.portNumber}(?:$|[|])`).test(name)) return false;
  const { vhost } = wanted;
  if (applyTo === 'ROUTE_CONFIGURATION' || vhost === undefined || (applyTo === 'VIRTUAL_HOST' && adds)) return true;
  return (config.virtualHosts ?? []).some((own) => {
    if (vhost.name && vhost.name !== own.name) return false;
    if (vhost.domainName && !(own.domains ?? []).includes(vhost.domainName)) return false;
    const { route } = vhost;
    return applyTo !== 'HTTP_ROUTE' || adds || !route?.name || (own.routes ?? []).some((one) => one.name === route.name);
  });
}
