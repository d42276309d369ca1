import type { PeerAuthentication } from '../config/kinds/security.ts';
import type { Resource } from '../config/resource.ts';
import { isSubset, type Labels } from '../mesh/labels.ts';
import type { Mesh } from '../mesh/types.ts';
import { originAt } from './origin-at.ts';
import type { MtlsMode } from './types.ts';

type Mode = MtlsMode['mode'];
type Peer = Resource<PeerAuthentication>;

const modeOf = (mtls: { mode?: string } | undefined): Mode | undefined =>
  mtls?.mode === 'STRICT' || mtls?.mode === 'PERMISSIVE' || mtls?.mode === 'DISABLE' ? mtls.mode : undefined;

export const isNamespaceWide = ({ spec }: Peer): boolean => Object.keys(spec.selector?.matchLabels ?? {}).length === 0;

/** The PeerAuthentications that a workload is under, widest first. */
export interface PeerPolicies {
  readonly mesh: Peer | undefined;
  readonly namespace: Peer | undefined;
  readonly workload: Peer | undefined;
}

/** Istio: of each scope the oldest; one with a selector in the root namespace is for nobody. */
export function peerPolicies(mesh: Mesh, namespace: string, labels: Labels): PeerPolicies {
  const all = mesh.ofKind<PeerAuthentication>('PeerAuthentication');
  const { rootNamespace } = mesh.config;
  const own = all.filter((p) => p.metadata.namespace === namespace && namespace !== rootNamespace);
  return {
    mesh: all.find((p) => p.metadata.namespace === rootNamespace && isNamespaceWide(p)),
    namespace: own.find(isNamespaceWide),
    workload: own.find((p) => !isNamespaceWide(p) && isSubset(p.spec.selector?.matchLabels ?? {}, labels)),
  };
}

/**
 * What a workload accepts on one of its own ports, as Istio decides it: the narrowest PeerAuthentication that is not UNSET, by port first
 * (of a policy with a selector only); PERMISSIVE when none says anything.
 */
export function mtlsMode(policies: PeerPolicies, targetPort: number | undefined): MtlsMode {
  const { workload } = policies;
  const port = targetPort === undefined ? undefined : workload?.spec.portLevelMtls?.[targetPort];
  const atPort = modeOf(port);
  if (workload !== undefined && atPort !== undefined)
    return { mode: atPort, origin: originAt(workload, ['spec', 'portLevelMtls', String(targetPort), 'mode']) };
  for (const policy of [workload, policies.namespace, policies.mesh]) {
    const mode = modeOf(policy?.spec.mtls);
    if (policy !== undefined && mode !== undefined) return { mode, origin: originAt(policy, ['spec', 'mtls', 'mode']) };
  }
  return { mode: 'PERMISSIVE' };
}
