import type { DestinationRule, TrafficPolicy } from '../../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';

/** Outlier detection that may take every endpoint out at once. */
export const outliers: Analyzer = {
  name: 'fl-outliers',
  codes: ['FL0203'],
  run(model, report) {
    for (const resource of model.of<DestinationRule>('DestinationRule')) {
      check(resource, resource.spec.trafficPolicy, ['spec', 'trafficPolicy'], report);
      for (const [i, { trafficPolicy }] of (resource.spec.subsets ?? []).entries()) {
        check(resource, trafficPolicy, ['spec', 'subsets', i, 'trafficPolicy'], report);
      }
    }
  },
};

type Policy = Pick<TrafficPolicy, 'outlierDetection' | 'portLevelSettings'>;

function check(resource: Resource, policy: Policy | undefined, at: FieldPath, report: ReportFinding): void {
  const places = [
    { detection: policy?.outlierDetection, path: at },
    ...(policy?.portLevelSettings ?? []).map((port, i) => ({ detection: port.outlierDetection, path: [...at, 'portLevelSettings', i] })),
  ];
  for (const { detection, path } of places) {
    if (detection?.maxEjectionPercent !== 100 || (detection.minHealthPercent ?? 0) > 0) continue;
    const off = detection.consecutive5xxErrors === 0 && !detection.consecutiveGatewayErrors && !detection.consecutiveLocalOriginFailures;
    if (!off) report('FL0203', resource, [...path, 'outlierDetection', 'maxEjectionPercent']);
  }
}
