import type { ReferenceGrant } from '../../config/kinds/gateway-api.ts';
import type { Resource } from '../../config/resource.ts';

/** An object that refers to another one, which may be of another namespace. */
export interface Reference {
  readonly from: { readonly group: string; readonly kind: string; readonly namespace: string };
  readonly to: { readonly group: string; readonly kind: string; readonly namespace: string; readonly name: string };
}

/**
 * Whether a reference may be followed: inside of a namespace always, else when a ReferenceGrant of the namespace that is referred to says so.
 * https://gateway-api.sigs.k8s.io/api-types/referencegrant/
 */
export function isGranted(grants: readonly Resource<ReferenceGrant>[], { from, to }: Reference): boolean {
  if (from.namespace === to.namespace) return true;
  return grants.some(
    ({ metadata, spec }) =>
      metadata.namespace === to.namespace &&
      spec.from.some((f) => f.group === from.group && f.kind === from.kind && f.namespace === from.namespace) &&
      // The core group may be written as `core` nowhere; it is the empty text.
      spec.to.some((t) => t.group === to.group && t.kind === to.kind && (!t.name || t.name === to.name)),
  );
}
