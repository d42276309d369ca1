import type { Resource } from '../../config/resource.ts';
import type { Labels } from '../../mesh/labels.ts';
import type { AnalysisModel } from './analysis-model.ts';
import { MAX_NAMED } from './bounds.ts';
import type { Workload } from './workloads.ts';

/** Which workloads the objects of a kind select, each within its namespace; those without selector labels are left out. */
export interface SelectorMatches {
  /** In the order of the workloads; at most MAX_NAMED objects each. */
  readonly byWorkload: ReadonlyMap<Workload, readonly Resource[]>;
  /** Objects that select nothing, although workloads of their namespace would be known. */
  readonly unmatched: readonly Resource[];
}

/** Matches selectors once for all that ask about conflicts. */
export function selectorMatches(
  model: AnalysisModel,
  resources: readonly Resource[],
  selectorOf: (resource: Resource) => Labels | undefined,
): SelectorMatches {
  const byWorkload = new Map<Workload, Resource[]>();
  const unmatched: Resource[] = [];
  for (const resource of resources) {
    const selector = selectorOf(resource) ?? {};
    if (Object.keys(selector).length === 0) continue;
    const { namespace } = resource.metadata;
    const workloads = model.workloadSearch.select(selector, namespace);
    const idle = workloads.length === 0 && model.entrySearch.select(selector, namespace).length === 0;
    if (idle && model.given.workloads(namespace)) unmatched.push(resource);
    for (const workload of workloads) {
      const list = byWorkload.get(workload);
      if (list === undefined) byWorkload.set(workload, [resource]);
      else if (list.length < MAX_NAMED) list.push(resource);
    }
  }
  return { byWorkload, unmatched };
}

/** Objects of each namespace for which `test` holds. */
export function byNamespace(resources: readonly Resource[], test: (resource: Resource) => boolean): Map<string, Resource[]> {
  const found = new Map<string, Resource[]>();
  for (const resource of resources) {
    if (!test(resource)) continue;
    const list = found.get(resource.metadata.namespace);
    if (list === undefined) found.set(resource.metadata.namespace, [resource]);
    else list.push(resource);
  }
  return found;
}
