import type { FilterJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { TcpProxyJson } from '#envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import { parseDuration } from '../config/duration.ts';
import type { RouteDestination } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import type { Protocol, Service } from '../mesh/types.ts';
import { tcpAccessLogs } from './access-log.ts';
import { typed } from './any.ts';
import { hashesSourceIp } from './clusters/hash-policy.ts';
import type { BuildContext } from './context.ts';
import { envoyDuration } from './duration.ts';
import { BLACK_HOLE_CLUSTER, clusterName } from './names.ts';
import { resolveDestination } from './routes/destination.ts';
import { networkPolicyFilters } from './security/network-policies.ts';

function tcpProxy(context: BuildContext, settings: TcpProxyJson): FilterJson {
  return {
    name: 'envoy.filters.network.tcp_proxy',
    typedConfig: typed<TcpProxyJson>('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', {
      ...settings,
      accessLog: tcpAccessLogs(context),
    }),
  };
}

/** With the policies in front, where there are any. Mongo's traffic is looked at for statistics on its way. */
function withFilters(context: BuildContext, protocol: Protocol | undefined, cluster: string, proxy: FilterJson): FilterJson[] {
  // What goes nowhere needs no permission.
  const policies = cluster === BLACK_HOLE_CLUSTER ? [] : networkPolicyFilters(context);
  if (protocol !== 'Mongo') return [...policies, proxy];
  const typedConfig = typed('envoy.extensions.filters.network.mongo_proxy.v3.MongoProxy', { statPrefix: cluster });
  return [...policies, { name: 'envoy.filters.network.mongo_proxy', typedConfig }, proxy];
}

/** The filters of a chain that sends every connection to one fixed cluster (pass-through, black hole, inbound). */
export function fixedTcpFilters(context: BuildContext, cluster: string, statPrefix = cluster, protocol?: Protocol): FilterJson[] {
  return withFilters(context, protocol, cluster, tcpProxy(context, { statPrefix, cluster }));
}

function duration(text: string | undefined): string | undefined {
  const ms = text === undefined ? undefined : parseDuration(text);
  return ms ? envoyDuration(ms) : undefined;
}

interface Target {
  service: Service | undefined;
  subset: string;
  port: number;
}

/** What tcp_proxy takes from the top level of the destination's DestinationRule (not from its port level: Istio). */
function ruleSettings(context: BuildContext, { service, subset, port }: Target, tunnels: boolean): TcpProxyJson {
  const policy = service && context.scope.destinationRule(service)?.spec.trafficPolicy;
  const idleTimeout = duration(policy?.connectionPool?.tcp?.idleTimeout);
  const maxDownstreamConnectionDuration = duration(policy?.connectionPool?.tcp?.maxConnectionDuration);
  const tunnel = tunnels ? policy?.tunnel : undefined;
  return {
    ...(idleTimeout && { idleTimeout }),
    ...(maxDownstreamConnectionDuration && { maxDownstreamConnectionDuration }),
    ...(hashesSourceIp(context.scope, service, subset || undefined, { number: port }) && { hashPolicy: [{ sourceIp: {} }] }),
    ...(tunnel && {
      tunnelingConfig: { hostname: `${tunnel.targetHost}:${tunnel.targetPort}`, ...(tunnel.protocol === 'POST' && { usePost: true }) },
    }),
  };
}

/** The filters of a chain to a service that no TCP or TLS rule is about. */
export function serviceTcpFilters(context: BuildContext, service: Service, port: number, protocol: Protocol): FilterJson[] {
  const cluster = clusterName('outbound', port, '', service.host);
  const settings = ruleSettings(context, { service, subset: '', port }, false);
  return withFilters(context, protocol, cluster, tcpProxy(context, { statPrefix: cluster, cluster, ...settings }));
}

/** The filters of a TCP or TLS rule of a VirtualService; undefined when it names no destination with a weight. */
export function ruleTcpFilters(
  context: BuildContext,
  destinations: readonly RouteDestination[] | undefined,
  from: Resource,
  listenPort: number,
  protocol: Protocol,
): FilterJson[] | undefined {
  const resolved = (destinations ?? []).map((d) => ({
    ...resolveDestination(context, d.destination, from, listenPort),
    weight: d.weight ?? 0,
  }));
  const [first] = resolved;
  if (first === undefined) return undefined;
  const settings = ruleSettings(context, first, true);
  if (resolved.length === 1) {
    const { cluster } = first;
    return withFilters(context, protocol, cluster, tcpProxy(context, { statPrefix: cluster, cluster, ...settings }));
  }
  const clusters = resolved.filter((r) => r.weight > 0).map((r) => ({ name: r.cluster, weight: r.weight }));
  if (clusters.length === 0) return undefined;
  const statPrefix = `${from.metadata.name}.${from.metadata.namespace}`;
  return withFilters(context, protocol, statPrefix, tcpProxy(context, { statPrefix, weightedClusters: { clusters }, ...settings }));
}
