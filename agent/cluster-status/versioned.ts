import type { Resource } from '../../src/config/resource.ts';
import type { Versioned } from './digest.ts';

/** Groups whose objects get a status from here. */
export const STATUS_GROUPS: ReadonlySet<string> = new Set([
  'networking.istio.io',
  'security.istio.io',
  'telemetry.istio.io',
  'extensions.istio.io',
  'gateway.networking.k8s.io',
]);

/** What runs says itself how it is, and Istio's registration of workloads writes there. */
const WITHOUT_STATUS: ReadonlySet<string> = new Set(['WorkloadEntry', 'WorkloadGroup', 'ReferenceGrant']);

/** Whether objects of a kind get a status. */
export function hasStatus({ group, kind }: { readonly group: string; readonly kind: string }): boolean {
  return STATUS_GROUPS.has(group) && !WITHOUT_STATUS.has(kind);
}

const known = new WeakMap<Resource, Versioned>();

/** An object of the own cluster that gets a status, as it is told apart; the same one each time. undefined: of files, or of another cluster. */
export function versionedOf(resource: Resource): Versioned | undefined {
  let versioned = known.get(resource);
  if (versioned !== undefined) return versioned;
  const { uid, generation } = resource.metadata;
  if (uid === undefined || generation === undefined || resource.cluster?.remote || !hasStatus(resource)) return undefined;
  versioned = { uid, generation };
  known.set(resource, versioned);
  return versioned;
}

/** All of a mesh that are counted. */
export function versionedResources(resources: readonly Resource[]): Versioned[] {
  const out: Versioned[] = [];
  for (const resource of resources) {
    // Most resources of a large mesh are EndpointSlices and Pods.
    if (!STATUS_GROUPS.has(resource.group)) continue;
    const versioned = versionedOf(resource);
    if (versioned !== undefined) out.push(versioned);
  }
  return out;
}
