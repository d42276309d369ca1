import type { WorkloadSelector } from '../../config/kinds/selector.ts';
import type { Resource } from '../../config/resource.ts';
import { isSubset } from '../labels.ts';
import type { Mesh, ProxyNode } from '../types.ts';

interface Targeted {
  selector?: WorkloadSelector;
  targetRef?: unknown;
  targetRefs?: readonly unknown[];
}

/** Attached to resources of the Gateway API or to waypoints: such a policy is for no sidecar and no gateway that there is here. */
export function isAttached({ targetRef, targetRefs = [] }: Targeted): boolean {
  return targetRef !== undefined || targetRefs.length > 0;
}

/**
 * The policies of a kind that a proxy is under: those of the root namespace, then those of its own, each oldest first; a `selector`
 * must match, and an empty one matches all (Istio).
 */
export function policiesFor<T extends Targeted>(
  mesh: Pick<Mesh, 'ofKind' | 'config'>,
  kind: string,
  { namespace, labels }: Pick<ProxyNode, 'namespace' | 'labels'>,
): Resource<T>[] {
  const { rootNamespace } = mesh.config;
  const found = mesh
    .ofKind<T>(kind)
    .filter(
      ({ metadata, spec }) =>
        (metadata.namespace === rootNamespace || metadata.namespace === namespace) &&
        !isAttached(spec) &&
        isSubset(spec.selector?.matchLabels ?? {}, labels),
    );
  const isRoot = (policy: Resource): boolean => policy.metadata.namespace === rootNamespace;
  return [...found.filter(isRoot), ...found.filter((policy) => !isRoot(policy))];
}
