import type { WorkloadGroup } from '../kinds/networking.ts';
import type { Resource } from '../resource.ts';
import type { Report } from '../validation/report.ts';
import { checkLabels } from './common.ts';

/** Istio's validation of WorkloadGroups (IST0106); the schema has the numbers and the template. */
export function checkWorkloadGroup(resource: Resource, report: Report): void {
  const { metadata, probe } = resource.spec as WorkloadGroup;
  checkLabels(metadata?.labels, ['spec', 'metadata', 'labels'], report);
  if (probe === undefined) return;
  if (probe.httpGet === undefined && probe.tcpSocket === undefined && probe.exec === undefined && !Object.hasOwn(probe, 'grpc')) {
    report.error(['spec', 'probe'], 'semantic/probe', 'a probe needs a method', {
      atKey: true,
      hint: 'Add `httpGet`, `tcpSocket` or `exec`',
    });
  }
  if (probe.exec?.command.length === 0) {
    report.error(['spec', 'probe', 'exec', 'command'], 'semantic/probe', 'the command must not be empty', { atKey: true });
  }
}
