import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import { parseProtocol } from '../../mesh/protocol.ts';
import type { EffectivePolicy, Mesh, Protocol, ProxyScope, Service, ServicePort } from '../../mesh/types.ts';
import { addressOf } from '../endpoints/load-assignment.ts';
import { provenance } from '../metadata.ts';
import { inboundClusterName, STAT_DELIMITER } from '../names.ts';
import { serviceMetadata } from './cluster-metadata.ts';
import { connectionPoolFields } from './connection-pool.ts';
import { effectivePolicy, withMeshDefaults } from './effective-policy.ts';
import { inboundBind } from './fixed.ts';
import { altStatName } from './stat-name.ts';
import { upstreamProtocol } from './upstream-protocol.ts';

/** Envoy's largest interval: connections to the workload's own address are never cleaned up. */
const never = '9223372035s';

function staticHosts(name: string, address: string, port: number): Partial<ClusterJson> {
  return {
    type: 'STATIC',
    lbPolicy: 'LEAST_REQUEST',
    loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints: [{ endpoint: { address: addressOf(address, port) } }] }] },
  };
}

/** To the address that the client connected to, from an address that interception leaves alone. */
function originalDestination(scope: ProxyScope): Partial<ClusterJson> {
  return { type: 'ORIGINAL_DST', lbPolicy: 'CLUSTER_PROVIDED', cleanupInterval: never, commonLbConfig: {}, ...inboundBind(scope) };
}

/** Inbound clusters take nothing but the connection pool from a policy: the Sidecar's first, then the rule's. */
function common(mesh: Mesh, connectionPool: EffectivePolicy['connectionPool'], protocol: Protocol): Partial<ClusterJson> {
  const policy: EffectivePolicy = connectionPool ? { connectionPool } : {};
  return { ...connectionPoolFields(policy, mesh.config), ...upstreamProtocol(protocol, policy, mesh.config, true) };
}

/** Clusters that follow the services which select this workload: one per target port, decided by the oldest service on it. */
function byService(mesh: Mesh, scope: ProxyScope): ClusterJson[] {
  const byPort = new Map<number, { service: Service; port: ServicePort }[]>();
  for (const { service, port, targetPort } of scope.instances) {
    if (port.protocol === 'UDP') continue;
    const group = byPort.get(targetPort);
    if (group) group.push({ service, port });
    else byPort.set(targetPort, [{ service, port }]);
  }
  return [...byPort].map(([targetPort, instances]) => {
    const { service, port } = instances[0]!;
    const name = inboundClusterName(targetPort);
    const policy = withMeshDefaults(effectivePolicy(scope.destinationRule(service), port), mesh.config);
    const pool = scope.sidecar?.spec.inboundConnectionPool ?? policy.connectionPool;
    const hosts = new Map<string, Service>();
    for (const i of instances) if (i.port.number === port.number && !hosts.has(i.service.host)) hosts.set(i.service.host, i.service);
    return {
      name,
      altStatName: altStatName(name, mesh.config.inboundClusterStatName, service, port, ''),
      ...(mesh.config.inboundTrafficPolicy?.mode === 'LOCALHOST' ? staticHosts(name, '127.0.0.1', targetPort) : originalDestination(scope)),
      ...common(mesh, pool, port.protocol),
      metadata: { filterMetadata: { istio: { services: [...hosts.values()].map(serviceMetadata) } } },
    };
  });
}

/** `host:port`, `[v6]:port` or a unix path of a Sidecar's `defaultEndpoint`; `0.0.0.0` and `::` stand for the workload's own address. */
function defaultEndpoint(text: string, ownAddress: string): { address: string; port: number } {
  if (text.startsWith('unix://')) return { address: text, port: 0 };
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
  return { address: host === '0.0.0.0' || host === '::' ? ownAddress : host, port: Number(text.slice(colon + 1)) };
}

/** Clusters of a Sidecar's ingress listeners. */
function byIngress(mesh: Mesh, scope: ProxyScope): ClusterJson[] {
  const sidecar = scope.sidecar!;
  return (scope.ingress ?? []).flatMap((listener, index) => {
    const port = listener.port?.number;
    if (port === undefined) return [];
    const name = inboundClusterName(port);
    const own = scope.proxy.ips[0] ?? '127.0.0.1';
    const target = listener.defaultEndpoint ? defaultEndpoint(listener.defaultEndpoint, own) : undefined;
    // A proxy that nothing intercepts for has no original destination but itself: the workload is on loopback then.
    const explicit = target ?? (scope.proxy.interception === 'NONE' ? { address: '127.0.0.1', port } : undefined);
    const pool = listener.connectionPool ?? sidecar.spec.inboundConnectionPool;
    const { istio, ...ours } = provenance(sidecar, ['spec', 'ingress', index]).filterMetadata ?? {};
    return [
      {
        name,
        altStatName: name + STAT_DELIMITER,
        ...(explicit ? staticHosts(name, explicit.address, explicit.port) : originalDestination(scope)),
        ...common(mesh, pool, parseProtocol(listener.port?.protocol)),
        metadata: { filterMetadata: { ...ours, istio: istio ?? {} } },
      },
    ];
  });
}

/** The clusters through which a sidecar reaches its own workload. Without interception only a Sidecar's ingress listeners lead there. */
export function inboundClusters(mesh: Mesh, scope: ProxyScope): ClusterJson[] {
  if (scope.proxy.type !== 'sidecar') return [];
  if (scope.ingress?.length) return byIngress(mesh, scope);
  return scope.proxy.interception === 'NONE' ? [] : byService(mesh, scope);
}
