import type { Sidecar } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import { isSubset, type Labels } from './labels.ts';
import { problemAt, type Report } from './problem.ts';

/** Finds the Sidecar resource of a proxy. */
export type SidecarSelection = (namespace: string, labels: Labels) => Resource<Sidecar> | undefined;

/**
 * `sidecars` oldest first. One with a matching selector in the proxy's namespace wins, then the one without selector there, then the
 * one without selector in the root namespace.
 */
export function buildSidecarSelection(sidecars: readonly Resource<Sidecar>[], rootNamespace: string, report: Report): SidecarSelection {
  const selecting = new Map<string, Resource<Sidecar>[]>();
  const general = new Map<string, Resource<Sidecar>>();
  for (const sidecar of sidecars) {
    const { namespace } = sidecar.metadata;
    if (sidecar.spec.workloadSelector !== undefined) {
      const list = selecting.get(namespace);
      if (list) list.push(sidecar);
      else selecting.set(namespace, [sidecar]);
      continue;
    }
    const first = general.get(namespace);
    if (first === undefined) {
      general.set(namespace, sidecar);
      continue;
    }
    report(
      problemAt(sidecar, ['spec'], {
        severity: 'warning',
        rule: 'sidecar/duplicate',
        message: `Sidecar ${namespace}/${first.metadata.name} is for the whole namespace already; this one, which has no workloadSelector either, is ignored`,
      }),
    );
  }
  return (namespace, labels) =>
    selecting.get(namespace)?.find((s) => isSubset(s.spec.workloadSelector?.labels ?? {}, labels)) ??
    general.get(namespace) ??
    general.get(rootNamespace);
}
