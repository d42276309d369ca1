import { isCapturedPort } from './captured-ports.ts';
import { interceptionOf } from './interception.ts';
import { getOrMake } from './memo.ts';
import { sameItems } from './model-memo.ts';
import { effectiveMtls, type PeerAuthentications } from './security/peer-authentication.ts';
import type { SidecarSelection } from './sidecar-selection.ts';
import type { Endpoint, ResolvedMeshConfig, Workload } from './types.ts';

/** Which endpoints really speak mesh TLS. Same object from one mesh to the next while policies, Sidecars and settings are the same. */
export interface MeshTls {
  /** Endpoints as their labels have them, with those that do not speak mesh TLS after all set to `disabled`. */
  refine(endpoints: readonly Endpoint[]): readonly Endpoint[];
}

/** An endpoint that says it speaks mesh TLS, as one that does not. */
const plain = new WeakMap<Endpoint, Endpoint>();
/** The last refinement of a list, so that equal ones are the same object. */
const last = new WeakMap<readonly Endpoint[], readonly Endpoint[]>();

/**
 * A proxy that nothing intercepts for has inbound listeners for its Sidecar's ingress ports only: everywhere else its workload itself
 * is called, which knows nothing of mesh TLS; so it is on ports that its annotations leave out of interception. On any port a PeerAuthentication may switch it off.
 */
export function meshTls(peers: PeerAuthentications, sidecarFor: SidecarSelection, config: ResolvedMeshConfig): MeshTls {
  const ingress = new WeakMap<Workload, ReadonlySet<number> | 'captured'>();
  const boundPorts = (workload: Workload): ReadonlySet<number> | 'captured' => {
    if (interceptionOf(workload, config) !== 'NONE') return 'captured';
    const sidecar = sidecarFor(workload.namespace, workload.labels);
    return new Set((sidecar?.spec.ingress ?? []).map(({ port }) => port?.number ?? 0));
  };
  const terminates = (endpoint: Endpoint): boolean => {
    const { runs: workload, port } = endpoint;
    if (workload !== undefined) {
      const ports = getOrMake(ingress, workload, () => boundPorts(workload));
      if (ports === 'captured' ? !isCapturedPort(workload, port) : !ports.has(port)) return false;
    }
    return effectiveMtls(peers.policiesFor(endpoint.workload.namespace, endpoint.labels), port).mode !== 'DISABLE';
  };
  const refined = new WeakMap<readonly Endpoint[], readonly Endpoint[]>();
  const refine = (endpoints: readonly Endpoint[]): readonly Endpoint[] => {
    if (endpoints.every((e) => e.tlsMode === 'disabled' || terminates(e))) return endpoints;
    const now = endpoints.map((e) => {
      if (e.tlsMode === 'disabled' || terminates(e)) return e;
      return getOrMake(plain, e, () => ({ ...e, tlsMode: 'disabled' as const }));
    });
    const before = last.get(endpoints);
    if (before !== undefined && sameItems(before, now)) return before;
    last.set(endpoints, now);
    return now;
  };
  return { refine: (endpoints) => getOrMake(refined, endpoints, () => refine(endpoints)) };
}
