import type { HealthStatusJson } from '#envoy-api/envoy/config/core/v3/health_check_pb.js';
import type { EndpointJson, LbEndpointJson, LocalityLbEndpointsJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_components_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { Dial } from './dial.ts';
import { hostAddress } from './host-address.ts';
import { jsonNumber } from './json-number.ts';

/** What is known of an endpoint before it is a host. */
export interface HostSpec {
  /** As shown, and what identifies it among the hosts of its cluster. */
  address: string;
  dial: Dial;
  hostname: string;
  weight: number;
  priority: number;
  region: string;
  zone: string;
  subZone: string;
  /** `load_balancing_weight` of its locality; undefined when there is none. */
  localityWeight: number | undefined;
  health: HealthStatusJson;
  metadata: Readonly<Record<string, unknown>>;
}

/** One endpoint of a load assignment: its host, as far as it is known before any name is resolved. */
export interface EndpointSpec extends HostSpec {
  /** Where it is; a DNS cluster resolves `host`. */
  target: { host: string; port: number } | undefined;
}

/** The endpoints of a load assignment, in its order. Ones without an address are left out. */
export function endpointSpecs(assignment: ClusterLoadAssignmentJson | undefined): EndpointSpec[] {
  const specs: EndpointSpec[] = [];
  for (const locality of assignment?.endpoints ?? []) {
    for (const lb of locality.lbEndpoints ?? locality.loadBalancerEndpoints?.lbEndpoints ?? []) {
      const spec = endpointSpec(locality, lb);
      if (spec !== undefined) specs.push(spec);
    }
  }
  return specs;
}

function endpointSpec(locality: LocalityLbEndpointsJson, lb: LbEndpointJson): EndpointSpec | undefined {
  const found = whereabouts(lb.endpoint);
  if (found === undefined) return undefined;
  return {
    ...found,
    hostname: lb.endpoint?.hostname ?? '',
    weight: Math.max(1, jsonNumber(lb.loadBalancingWeight, 1)),
    priority: locality.priority ?? 0,
    region: locality.locality?.region ?? '',
    zone: locality.locality?.zone ?? '',
    subZone: locality.locality?.subZone ?? '',
    localityWeight: locality.loadBalancingWeight === undefined ? undefined : jsonNumber(locality.loadBalancingWeight, 1),
    health: lb.healthStatus ?? 'UNKNOWN',
    metadata: (lb.metadata?.filterMetadata ?? {}) as Readonly<Record<string, unknown>>,
  };
}

function whereabouts(endpoint: EndpointJson | undefined): { address: string; dial: Dial; target: EndpointSpec['target'] } | undefined {
  const socket = endpoint?.address?.socketAddress;
  if (socket?.address !== undefined) {
    const port = jsonNumber(socket.portValue, 0);
    return {
      address: hostAddress(socket.address, port),
      dial: { kind: 'ip', ip: socket.address, port },
      target: { host: socket.address, port },
    };
  }
  const path = endpoint?.address?.pipe?.path;
  return path === undefined ? undefined : { address: path, dial: { kind: 'pipe', path }, target: undefined };
}
