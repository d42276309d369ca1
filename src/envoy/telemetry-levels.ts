import type { Telemetry } from '../config/kinds/telemetry.ts';
import type { Resource } from '../config/resource.ts';
import { isSubset } from '../mesh/labels.ts';
import type { Mesh, ProxyNode } from '../mesh/types.ts';

const isAttached = ({ spec }: Resource<Telemetry>): boolean => spec.targetRef !== undefined || (spec.targetRefs?.length ?? 0) > 0;

/** For all of its namespace: no selector (an empty one is none), and not attached to something. */
export function isNamespaceWide(telemetry: Resource<Telemetry>): boolean {
  return Object.keys(telemetry.spec.selector?.matchLabels ?? {}).length === 0 && !isAttached(telemetry);
}

/** The Telemetry resources that apply to a proxy, widest first (Istio): the root namespace's, its namespace's, its own; of each the oldest. */
export function telemetryFor(mesh: Pick<Mesh, 'ofKind' | 'config'>, proxy: ProxyNode): Resource<Telemetry>[] {
  const all = mesh.ofKind<Telemetry>('Telemetry');
  const wide = (namespace: string): Resource<Telemetry> | undefined =>
    all.find((t) => t.metadata.namespace === namespace && isNamespaceWide(t));
  const { rootNamespace } = mesh.config;
  const found = [
    wide(rootNamespace),
    proxy.namespace === rootNamespace ? undefined : wide(proxy.namespace),
    all.find(
      (t) =>
        t.metadata.namespace === proxy.namespace &&
        !isNamespaceWide(t) &&
        !isAttached(t) &&
        isSubset(t.spec.selector?.matchLabels ?? {}, proxy.labels),
    ),
  ];
  return found.filter((t) => t !== undefined);
}
