import type { AuthorizationPolicy } from '../../config/kinds/security.ts';
import type { Analyzer } from '../analyzer.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { inMesh, isAmbientNamespace, isAmbientWorkload } from '../model/injection.ts';
import { type LabelSearch, labelSearch, selectorText } from '../model/selector.ts';
import type { Workload } from '../model/workloads.ts';

/** AuthorizationPolicies that no workload of the mesh is under. */
export const policyWorkloads: Analyzer = {
  name: 'policy-workloads',
  codes: ['IST0127'],
  run(model, report) {
    const candidates = meshWorkloads(model);
    for (const resource of model.of<AuthorizationPolicy>('AuthorizationPolicy')) {
      const { selector, targetRef, targetRefs } = resource.spec;
      const { namespace } = resource.metadata;
      // What it is attached to is no workload: a waypoint, a Gateway, a Service.
      if (targetRef !== undefined || (targetRefs ?? []).length > 0) continue;
      const everywhere = namespace === model.rootNamespace;
      if ((everywhere && selector === undefined) || !model.given.workloads(everywhere ? undefined : namespace)) continue;
      const labels = selector?.matchLabels ?? {};
      const scope = everywhere ? undefined : namespace;
      if (candidates.select(labels, scope).length > 0 || model.entrySearch.select(labels, scope).length > 0) continue;
      const at = selector === undefined ? ['metadata', 'name'] : ['spec', 'selector', 'matchLabels'];
      report('IST0127', resource, at, { labels: selectorText(labels) }, { atKey: selector !== undefined });
    }
  },
};

function meshWorkloads(model: AnalysisModel): LabelSearch<Workload> {
  return model.shared('workloads of the mesh', () => {
    const found = model.workloads.filter((workload) => {
      const ambient = isAmbientWorkload(workload) || isAmbientNamespace(model.namespaces.get(workload.namespace)?.metadata.labels);
      // Without its Namespace object nobody can tell whether a template is injected.
      const unknown = !workload.isPod && !model.namespaces.has(workload.namespace);
      return ambient || unknown || inMesh(workload, model.namespaces);
    });
    return labelSearch(found);
  });
}
