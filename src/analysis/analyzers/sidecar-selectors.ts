import type { Sidecar } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import { atMost, firstOthers, MAX_NAMED } from '../model/bounds.ts';
import { isAmbientNamespace, isAmbientWorkload } from '../model/injection.ts';
import { firstKey, selectorText } from '../model/selector.ts';
import { byNamespace, selectorMatches } from '../model/selector-conflicts.ts';

const labelsOf = (resource: Resource) => (resource.spec as Sidecar).workloadSelector?.labels;
const SELECTOR = ['spec', 'workloadSelector'];

/** Sidecars that conflict, select nothing, or are for workloads without one. */
export const sidecarSelectors: Analyzer = {
  name: 'sidecar-selectors',
  codes: ['IST0101', 'IST0110', 'IST0111', 'IST0167'],
  run(model, report) {
    const sidecars = model.of('Sidecar');
    const { byWorkload, unmatched } = selectorMatches(model, sidecars, labelsOf);
    for (const resource of unmatched) {
      const labels = labelsOf(resource);
      const at = [...SELECTOR, 'labels', firstKey(labels)!];
      report('IST0101', resource, at, { reftype: 'selector', refval: selectorText(labels) });
    }
    const ineffective = new Set<Resource>();
    const tooOften = atMost<Resource>(MAX_NAMED);
    for (const [workload, selecting] of byWorkload) {
      if (isAmbientWorkload(workload)) {
        for (const resource of selecting) {
          if (ineffective.has(resource)) continue;
          ineffective.add(resource);
          report(
            'IST0167',
            resource,
            SELECTOR,
            { reason: 'the workload that it selects is in ambient mode, without a sidecar' },
            { atKey: true },
          );
        }
      } else if (selecting.length > 1) {
        const conflictingSidecars = selecting.map((resource) => resource.metadata.name).sort();
        for (const resource of selecting) {
          if (tooOften(resource)) continue;
          const related = firstOthers(selecting, resource);
          report(
            'IST0110',
            resource,
            SELECTOR,
            { conflictingSidecars, namespace: workload.namespace, workloadPod: workload.name },
            { atKey: true, related: related.map((other) => ({ resource: other, at: SELECTOR, note: 'this one selects it as well' })) },
          );
        }
      }
    }
    for (const [namespace, group] of byNamespace(sidecars, (resource) => Object.keys(labelsOf(resource) ?? {}).length === 0)) {
      const ambient = isAmbientNamespace(model.namespaces.get(namespace)?.metadata.labels);
      const conflictingSidecars = group
        .map((resource) => resource.metadata.name)
        .sort()
        .slice(0, MAX_NAMED);
      for (const resource of group) {
        const at = ['metadata', 'name'];
        if (ambient) report('IST0167', resource, at, { reason: 'the namespace is in ambient mode, without sidecars' });
        else if (group.length > 1) {
          const related = firstOthers(group, resource);
          report(
            'IST0111',
            resource,
            at,
            { conflictingSidecars, namespace },
            { related: related.map((other) => ({ resource: other, at, note: 'another one without a selector' })) },
          );
        }
      }
    }
  },
};
