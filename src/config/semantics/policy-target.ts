import type { PolicyTargetReference, WorkloadSelector } from '../kinds/selector.ts';
import type { FieldPath } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import type { Report } from '../validation/report.ts';
import { checkSelector } from './common.ts';

const TARGETS = new Set([
  '/Service',
  'core/Service',
  'networking.istio.io/ServiceEntry',
  'gateway.networking.k8s.io/Gateway',
  'gateway.networking.k8s.io/GatewayClass',
]);

/** What a policy is for: workloads by labels, or the resources it is attached to. The schema refuses both together. */
export interface PolicyTarget {
  selector?: WorkloadSelector;
  targetRef?: PolicyTargetReference;
  targetRefs?: PolicyTargetReference[];
}

/** The rules of `selector`, `targetRef` and `targetRefs` of policies. */
export function checkPolicyTarget({ selector, targetRef, targetRefs }: PolicyTarget, report: Report): void {
  if (selector) checkSelector(selector.matchLabels, ['spec', 'selector', 'matchLabels'], report);
  if (targetRef) checkTarget(targetRef, ['spec', 'targetRef'], report);
  for (const [i, target] of (targetRefs ?? []).entries()) checkTarget(target, ['spec', 'targetRefs', i], report);
}

function checkTarget({ group = '', kind }: PolicyTargetReference, path: FieldPath, report: Report): void {
  if (TARGETS.has(`${group}/${kind}`)) return;
  report.error(
    [...path, 'kind'],
    'semantic/target',
    `a policy cannot be attached to ${quote(kind)} of group ${group === '' ? 'core' : quote(group)}`,
    { hint: 'Possible are Service (core), ServiceEntry (networking.istio.io), Gateway and GatewayClass (gateway.networking.k8s.io)' },
  );
}
