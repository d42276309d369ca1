import type { Resource } from '../../config/resource.ts';
import { type Labels, labelOf } from '../../mesh/labels.ts';
import { hasProxyContainer, type Workload } from './workloads.ts';

export const INJECT = 'sidecar.istio.io/inject';
export const INJECTION = 'istio-injection';
export const REVISION = 'istio.io/rev';
export const DATAPLANE_MODE = 'istio.io/dataplane-mode';

/** Whether a workload has, or gets, a sidecar. A namespace that is injected by revision counts too. */
export function inMesh(workload: Workload, namespaces: ReadonlyMap<string, Resource>): boolean {
  if (hasProxyContainer(workload.spec, workload.isPod)) return true;
  const asked = labelOf(workload.labels, INJECT) ?? labelOf(workload.annotations, INJECT);
  if (asked !== undefined) return asked === 'true';
  const labels = namespaces.get(workload.namespace)?.metadata.labels;
  if (labels === undefined) return false;
  const injection = labelOf(labels, INJECTION);
  return injection === undefined ? labelOf(labels, REVISION) !== undefined : injection === 'enabled';
}

/** A Pod that ztunnel serves. */
export function isAmbientWorkload(workload: Workload): boolean {
  return labelOf(workload.annotations, 'ambient.istio.io/redirection') === 'enabled';
}

/** A namespace whose Pods ztunnel serves. */
export function isAmbientNamespace(labels: Labels | undefined): boolean {
  if (labels === undefined) return false;
  return (
    labelOf(labels, DATAPLANE_MODE) === 'ambient' && labelOf(labels, INJECTION) !== 'enabled' && labelOf(labels, REVISION) === undefined
  );
}
