import type { PeerAuthentication } from '../../config/kinds/security.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import { isSubset, type Labels } from '../labels.ts';
import { getOrMake } from '../memo.ts';
import { problemAt, type Report } from '../problem.ts';

type Peer = Resource<PeerAuthentication>;

/** What a port accepts: mesh TLS and plain text, mesh TLS alone, plain text alone. */
export type MtlsMode = 'PERMISSIVE' | 'STRICT' | 'DISABLE';

/** A mode, and the field that says so; without one it is Istio's default. */
export interface EffectiveMtls {
  readonly mode: MtlsMode;
  readonly by?: { readonly resource: Peer; readonly at: FieldPath };
}

/** The PeerAuthentications that a workload is under. */
export interface PeerPolicies {
  readonly mesh: Peer | undefined;
  readonly namespace: Peer | undefined;
  readonly workload: Peer | undefined;
}

/** The PeerAuthentications of a mesh. Same object from one mesh to the next while they are the same. */
export interface PeerAuthentications {
  policiesFor(namespace: string, labels: Labels): PeerPolicies;
  /** What clients reckon with who look at services and not at workloads: policies of the mesh and the namespace alone. */
  namespaceMode(namespace: string): MtlsMode;
}

const isMode = (mode: string | undefined): mode is MtlsMode => mode === 'STRICT' || mode === 'PERMISSIVE' || mode === 'DISABLE';

export const isNamespaceWide = ({ spec }: Peer): boolean => Object.keys(spec.selector?.matchLabels ?? {}).length === 0;

/**
 * Indexes policies, which come oldest first: of each scope the oldest counts, and one with a selector in the root namespace is for
 * nobody. What has no effect is reported.
 *
 * @see https://istio.io/latest/docs/reference/config/security/peer_authentication/
 */
export function buildPeerAuthentications(policies: readonly Peer[], rootNamespace: string, report: Report): PeerAuthentications {
  const wide = new Map<string, Peer>();
  const selecting = new Map<string, Peer[]>();
  const say = (policy: Peer, path: FieldPath, rule: string, message: string, hint: string): void =>
    report(problemAt(policy, path, { severity: 'warning', rule: `peer-authentication/${rule}`, message, hint }));
  for (const policy of policies) {
    const { namespace } = policy.metadata;
    if (isNamespaceWide(policy)) {
      if (policy.spec.portLevelMtls !== undefined) {
        say(
          policy,
          ['spec', 'portLevelMtls'],
          'ports-without-selector',
          'portLevelMtls has no effect without a selector',
          'add a selector',
        );
      }
      const older = wide.get(namespace);
      if (older === undefined) wide.set(namespace, policy);
      else {
        const of = namespace === rootNamespace ? 'the mesh' : `namespace ${namespace}`;
        say(
          policy,
          ['spec'],
          'hidden',
          `PeerAuthentication ${older.metadata.name} is for all of ${of} already: this one has no effect`,
          'merge them',
        );
      }
    } else if (namespace === rootNamespace) {
      const hint = `put it into the namespace of the workloads, or leave the selector out to mean the whole mesh`;
      say(policy, ['spec', 'selector'], 'selector-in-root', 'in the root namespace a policy with a selector is for nobody', hint);
    } else {
      const list = selecting.get(namespace);
      if (list === undefined) selecting.set(namespace, [policy]);
      else list.push(policy);
    }
  }
  const mesh = wide.get(rootNamespace);
  const known = new WeakMap<Labels, Map<string, PeerPolicies>>();
  const find = (namespace: string, labels: Labels): PeerPolicies => ({
    mesh,
    namespace: namespace === rootNamespace ? undefined : wide.get(namespace),
    workload: selecting.get(namespace)?.find((p) => isSubset(p.spec.selector?.matchLabels ?? {}, labels)),
  });
  return {
    policiesFor: (namespace, labels) =>
      getOrMake(
        getOrMake(known, labels, () => new Map<string, PeerPolicies>()),
        namespace,
        () => find(namespace, labels),
      ),
    namespaceMode: (namespace) => {
      const own = namespace === rootNamespace ? undefined : wide.get(namespace);
      return effectiveMtls({ mesh, namespace: own, workload: undefined }, undefined).mode;
    },
  };
}

/**
 * What a workload accepts on one of its own ports: the narrowest policy that is not UNSET, by port first (of a policy with a selector
 * only); PERMISSIVE when none says anything.
 *
 * @param targetPort undefined for ports that no policy names
 */
export function effectiveMtls(policies: PeerPolicies, targetPort: number | undefined): EffectiveMtls {
  const { workload } = policies;
  const atPort = targetPort === undefined ? undefined : workload?.spec.portLevelMtls?.[targetPort]?.mode;
  if (workload !== undefined && isMode(atPort)) {
    return { mode: atPort, by: { resource: workload, at: ['spec', 'portLevelMtls', String(targetPort), 'mode'] } };
  }
  for (const policy of [workload, policies.namespace, policies.mesh]) {
    const mode = policy?.spec.mtls?.mode;
    if (policy !== undefined && isMode(mode)) return { mode, by: { resource: policy, at: ['spec', 'mtls', 'mode'] } };
  }
  return { mode: 'PERMISSIVE' };
}
