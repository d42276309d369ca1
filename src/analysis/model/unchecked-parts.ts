import type { AnalysisModel } from './analysis-model.ts';

/** What analyzers left out because the configuration does not show it: see Given. */
export function uncheckedParts(model: AnalysisModel): string[] {
  const { given } = model;
  const has = (...kinds: string[]): boolean => kinds.some((kind) => model.of(kind).length > 0);
  const parts: string[] = [];
  if (has('VirtualService', 'DestinationRule') && !given.hosts('service'))
    parts.push('whether the Services of the cluster exist (there is no Service, Deployment or Pod)');
  if (has('Gateway') && !given.pods) parts.push('whether Gateways have workloads (there are no Pods)');
  if (has('Sidecar', 'Telemetry', 'AuthorizationPolicy') && !given.workloads())
    parts.push('whether selectors match (there is no Deployment or Pod)');
  return parts;
}
