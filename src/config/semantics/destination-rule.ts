import type { DestinationRule } from '../kinds/networking.ts';
import type { Resource } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import { errorsOnly, type Report } from '../validation/report.ts';
import { checkExportTo, checkLabels, checkSelector, checkSubsetName, checkWildcardHost } from './common.ts';
import { checkTrafficPolicy } from './traffic-policy.ts';

/** Istio's validation of DestinationRules (IST0106). */
export function checkDestinationRule(resource: Resource, report: Report): void {
  const spec = resource.spec as DestinationRule;
  const { namespace } = resource.metadata;
  checkWildcardHost(spec.host, ['spec', 'host'], report);
  if (spec.trafficPolicy) checkTrafficPolicy(spec.trafficPolicy, ['spec', 'trafficPolicy'], namespace, report);
  const names = new Set<string>();
  for (const [i, subset] of (spec.subsets ?? []).entries()) {
    const path = ['spec', 'subsets', i];
    checkSubsetName(subset.name, [...path, 'name'], report);
    if (names.has(subset.name))
      report.error([...path, 'name'], 'semantic/duplicate-name', `the subset ${quote(subset.name)} is there twice`);
    names.add(subset.name);
    checkLabels(subset.labels, [...path, 'labels'], report);
    if (subset.trafficPolicy) checkTrafficPolicy(subset.trafficPolicy, [...path, 'trafficPolicy'], namespace, errorsOnly(report));
  }
  checkExportTo(spec.exportTo, namespace, ['spec', 'exportTo'], report, { onlyOwn: spec.workloadSelector !== undefined });
  if (spec.workloadSelector) checkSelector(spec.workloadSelector.matchLabels, ['spec', 'workloadSelector', 'matchLabels'], report);
}
