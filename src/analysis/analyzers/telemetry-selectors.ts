import type { Telemetry } from '../../config/kinds/telemetry.ts';
import type { Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import { atMost, firstOthers, MAX_NAMED } from '../model/bounds.ts';
import { firstKey, selectorText } from '../model/selector.ts';
import { byNamespace, selectorMatches } from '../model/selector-conflicts.ts';

const specOf = (resource: Resource) => resource.spec as Telemetry;
const SELECTOR = ['spec', 'selector'];

/** Telemetries that conflict or select nothing. */
export const telemetrySelectors: Analyzer = {
  name: 'telemetry-selectors',
  codes: ['IST0101', 'IST0159', 'IST0160'],
  run(model, report) {
    const telemetries = model.of('Telemetry');
    const { byWorkload, unmatched } = selectorMatches(model, telemetries, (resource) => specOf(resource).selector?.matchLabels);
    for (const resource of unmatched) {
      const labels = specOf(resource).selector?.matchLabels;
      const at = [...SELECTOR, 'matchLabels', firstKey(labels)!];
      report('IST0101', resource, at, { reftype: 'selector', refval: selectorText(labels) });
    }
    const tooOften = atMost<Resource>(MAX_NAMED);
    for (const [workload, selecting] of byWorkload) {
      if (selecting.length < 2) continue;
      const conflictingTelemetries = selecting.map((resource) => resource.metadata.name).sort();
      for (const resource of selecting) {
        if (tooOften(resource)) continue;
        const related = firstOthers(selecting, resource);
        report(
          'IST0159',
          resource,
          SELECTOR,
          { conflictingTelemetries, namespace: workload.namespace, workloadPod: workload.name },
          { atKey: true, related: related.map((other) => ({ resource: other, at: SELECTOR, note: 'this one selects it as well' })) },
        );
      }
    }
    // One with targetRefs is for a waypoint or Gateway, not for the namespace.
    const whole = byNamespace(telemetries, (resource) => {
      const { selector, targetRef, targetRefs } = specOf(resource);
      return selector === undefined && targetRef === undefined && (targetRefs ?? []).length === 0;
    });
    for (const [namespace, group] of whole) {
      if (group.length < 2) continue;
      const conflictingTelemetries = group
        .map((resource) => resource.metadata.name)
        .sort()
        .slice(0, MAX_NAMED);
      const at = ['metadata', 'name'];
      for (const resource of group) {
        const related = firstOthers(group, resource);
        report(
          'IST0160',
          resource,
          at,
          { conflictingTelemetries, namespace },
          { related: related.map((other) => ({ resource: other, at, note: 'another one without a selector' })) },
        );
      }
    }
  },
};
