import type { Resource } from '../../config/resource.ts';
import { labelOf } from '../../mesh/labels.ts';
import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { fullName } from '../model/hosts.ts';
import { DATAPLANE_MODE, INJECT, INJECTION, REVISION } from '../model/injection.ts';
import { injectorOf, injectorValues } from '../model/injector.ts';
import { hasProxyContainer, type Workload } from '../model/workloads.ts';

/** Whether namespaces get sidecars, and their Pods have them. */
export const namespaceInjection: Analyzer = {
  name: 'namespace-injection',
  codes: ['IST0102', 'IST0103', 'IST0123', 'IST0148'],
  run(model, report) {
    for (const resource of model.namespaces.values()) {
      if (resource.metadata.name !== 'istio-system') checkNamespace(model, resource, report);
    }
  },
};

function checkNamespace(model: AnalysisModel, resource: Resource, report: ReportFinding): void {
  const { labels, name } = resource.metadata;
  const has = (label: string): boolean => Object.hasOwn(labels, label);
  const injection = labelOf(labels, INJECTION);
  const found: string[] = has(INJECTION) ? [`${INJECTION}=${labels[INJECTION]}`] : [];
  if (!has(INJECTION) || injection === 'enabled') {
    for (const label of [REVISION, DATAPLANE_MODE]) if (has(label)) found.push(`${label}=${labels[label]}`);
  }
  if (found.length >= 2) report('IST0123', resource, ['metadata', 'labels'], { labels: found }, { atKey: true });
  if (labels[DATAPLANE_MODE] === 'ambient') return;
  if (injection === undefined && !has(REVISION)) {
    const byDefault = injectorValues(model).get(injectorOf(labels))?.sidecarInjectorWebhook?.enableNamespacesByDefault === true;
    if (byDefault) report('IST0148', resource, ['metadata', 'name']);
    else report('IST0102', resource, ['metadata', 'name'], { namespace: name, namespace2: name });
    return;
  }
  if (injection !== 'enabled') return;
  for (const workload of model.workloadSearch.select({}, name)) if (workload.isPod) checkPod(workload, report);
}

function checkPod({ resource, spec, labels, annotations }: Workload, report: ReportFinding): void {
  if (spec.hostNetwork === true || hasProxyContainer(spec, true)) return;
  const asked = Object.hasOwn(labels, INJECT) ? labels[INJECT] : annotations[INJECT];
  if (String(asked).toLowerCase() === 'false') return;
  report('IST0103', resource, ['metadata', 'name'], { podName: fullName(resource.metadata) });
}
