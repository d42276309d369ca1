import type { AddressJson } from '#envoy-api/envoy/config/core/v3/address_pb.js';
import type { LocalityJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { HealthStatusJson } from '#envoy-api/envoy/config/core/v3/health_check_pb.js';
import type { LbEndpointJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_components_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { Endpoint, Locality, ProxyNode } from '../../mesh/types.ts';
import { groupByLocality } from './locality-groups.ts';
import { prioritise } from './locality-priorities.ts';
import type { LocalityPlan } from './locality-setting.ts';
import { workloadLabel } from './workload-label.ts';

const unixScheme = 'unix://';

const healthStatus: Record<Endpoint['health'], HealthStatusJson | undefined> = {
  healthy: 'HEALTHY',
  unhealthy: 'UNHEALTHY',
  draining: 'DRAINING',
  unknown: undefined,
};

/** A socket address, or a pipe for `unix://` paths. */
export function addressOf(address: string, port: number): AddressJson {
  if (address.startsWith(unixScheme)) return { pipe: { path: address.slice(unixScheme.length) } };
  return { socketAddress: { address, portValue: port } };
}

/** Written endpoints do not depend on who asks: each is made once and shared by all proxies. */
const written = new WeakMap<Endpoint, LbEndpointJson>();

function lbEndpoint(endpoint: Endpoint): LbEndpointJson {
  let out = written.get(endpoint);
  if (out === undefined) {
    const health = healthStatus[endpoint.health];
    out = {
      endpoint: { address: addressOf(endpoint.address, endpoint.port) },
      ...(health && { healthStatus: health }),
      metadata: {
        filterMetadata: {
          ...(endpoint.tlsMode === 'istio' && { 'envoy.transport_socket_match': { tlsMode: 'istio' } }),
          istio: { workload: workloadLabel(endpoint) },
        },
      },
      loadBalancingWeight: Math.max(1, endpoint.weight),
    };
    written.set(endpoint, out);
  }
  return out;
}

/** Envoy's form of a locality, without empty parts; undefined when nothing is known. */
export function localityJson(locality: Locality): LocalityJson | undefined {
  const { region, zone, subzone } = locality;
  if (!region && !zone && !subzone) return undefined;
  return { ...(region && { region }), ...(zone && { zone }), ...(subzone && { subZone: subzone }) };
}

/** The load assignment of one cluster as one proxy sees it: endpoints by locality, with that proxy's weights and priorities. */
export function loadAssignment(
  clusterName: string,
  endpoints: readonly Endpoint[],
  proxy: ProxyNode,
  plan: LocalityPlan | undefined,
): ClusterLoadAssignmentJson {
  if (endpoints.length === 0) return { clusterName };
  return {
    clusterName,
    endpoints: prioritise(groupByLocality(endpoints), proxy, plan).map((group) => {
      const locality = localityJson(group.locality);
      return {
        ...(locality && { locality }),
        ...(group.endpoints.length > 0 && { lbEndpoints: group.endpoints.map(lbEndpoint) }),
        ...(group.weight > 0 && { loadBalancingWeight: group.weight }),
        ...(group.priority > 0 && { priority: group.priority }),
      };
    }),
  };
}
