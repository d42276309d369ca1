/** What a proxy's own configuration tells of services and workloads, for agents that know no mesh: those in pods. */
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { Snapshot } from '../../envoy/snapshot.ts';
import { type Peer, UNKNOWN, UNKNOWN_PEER } from './peers.ts';

export interface Seen {
  /** The service of an outbound cluster. */
  service(cluster: string): { host: string; name: string; namespace: string } | undefined;
  /** The workload behind an endpoint, by `10.0.0.1:8080`, or by its host alone where only one has it. */
  peer(address: string): Peer | undefined;
}

type Label = string | undefined;

const services = new WeakMap<readonly ClusterJson[], ReadonlyMap<string, ClusterJson>>();
const workloads = new WeakMap<readonly ClusterLoadAssignmentJson[], ReadonlyMap<string, Label>>();

/** Looks into Istio's metadata of clusters and endpoints. What is found is kept as long as their lists are. */
export function seenIn({ clusters, endpoints }: Pick<Snapshot, 'clusters' | 'endpoints'>): Seen {
  return {
    service(name) {
      let known = services.get(clusters);
      if (known === undefined) {
        known = new Map(clusters.map((cluster) => [cluster.name ?? '', cluster]));
        services.set(clusters, known);
      }
      const istio = known.get(name)?.metadata?.filterMetadata?.['istio'] as { services?: Record<string, string>[] } | undefined;
      const { host, name: own, namespace } = istio?.services?.[0] ?? {};
      return host === undefined ? undefined : { host, name: own ?? host, namespace: namespace ?? UNKNOWN };
    },
    peer(address) {
      let known = workloads.get(endpoints);
      if (known === undefined) {
        known = labelsOf(endpoints);
        workloads.set(endpoints, known);
      }
      const label = known.get(address);
      return label === undefined ? undefined : peerOfLabel(label);
    },
  };
}

function labelsOf(endpoints: readonly ClusterLoadAssignmentJson[]): ReadonlyMap<string, Label> {
  const found = new Map<string, Label>();
  const add = (key: string, label: string): void => void found.set(key, found.has(key) && found.get(key) !== label ? undefined : label);
  for (const { lbEndpoints = [] } of endpoints.flatMap((e) => e.endpoints ?? []))
    for (const { endpoint, metadata } of lbEndpoints) {
      const { address = '', portValue } = endpoint?.address?.socketAddress ?? {};
      const { workload } = (metadata?.filterMetadata?.['istio'] ?? {}) as { workload?: string };
      if (workload === undefined || address === '') continue;
      add(address, workload);
      add(`${address.includes(':') ? `[${address}]` : address}:${portValue}`, workload);
    }
  return found;
}

/** Istio's `name;namespace;canonical name;canonical revision;cluster`. */
function peerOfLabel(label: string): Peer | undefined {
  const [workload, namespace, canonicalService, canonicalRevision, cluster] = label.split(';');
  if (!workload) return undefined;
  return {
    ...UNKNOWN_PEER,
    workload,
    namespace: namespace || UNKNOWN,
    canonicalService: canonicalService || UNKNOWN,
    canonicalRevision: canonicalRevision || UNKNOWN_PEER.canonicalRevision,
    cluster: cluster || UNKNOWN,
  };
}
