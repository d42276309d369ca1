import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Problem } from '../../errors.ts';
import { problemAt } from '../../mesh/problem.ts';
import type { DestinationRuleView, EffectivePolicy, ProxyScope } from '../../mesh/types.ts';
import { knowsOriginalDestination } from './discovery.ts';
import { isPassthrough } from './load-balancer.ts';
import { mayHaveCredentials } from './transport-socket.ts';

interface At {
  rule: DestinationRuleView;
  scope: ProxyScope;
}

type Level = EffectivePolicy & { portLevelSettings?: readonly EffectivePolicy[] };

function levelProblems(resource: Resource, path: FieldPath, level: EffectivePolicy, at: At): Problem[] {
  const { rule, scope } = at;
  const { proxy } = scope;
  const out: Problem[] = [];
  const report = (field: FieldPath, rule: string, message: string, hint?: string): void => {
    out.push(problemAt(resource, [...path, ...field], { severity: 'warning', rule, message, ...(hint !== undefined && { hint }) }));
  };
  const { tls } = level;
  if ((tls?.mode === 'SIMPLE' || tls?.mode === 'MUTUAL') && !mayHaveCredentials(tls, rule, scope)) {
    report(
      ['tls', 'credentialName'],
      'policy/credential-without-selector',
      `secrets are for gateways and for sidecars that the rule chooses: ${proxy.name}.${proxy.namespace} connects in plain text`,
      'add a workloadSelector to the rule, or name files',
    );
  }
  const lb = level.loadBalancer as
    | (EffectivePolicy['loadBalancer'] & { backendUtilization?: unknown; zoneAwareLbSetting?: unknown })
    | undefined;
  if (lb?.backendUtilization !== undefined) {
    report(
      ['loadBalancer', 'backendUtilization'],
      'unsupported/field',
      'load balancing by backend utilization is not supported: LEAST_REQUEST is used',
    );
  }
  if (isPassthrough(level) && !knowsOriginalDestination(proxy)) {
    report(
      ['loadBalancer', 'simple'],
      'policy/no-original-destination',
      `${proxy.name}.${proxy.namespace} does not see which address its clients asked for: LEAST_REQUEST is used in place of PASSTHROUGH`,
    );
  }
  if (lb?.zoneAwareLbSetting !== undefined) {
    report(
      ['loadBalancer', 'zoneAwareLbSetting'],
      'unsupported/field',
      'zone aware load balancing is not supported: the field has no effect',
      'use localityLbSetting',
    );
  }
  const outliers = level.outlierDetection as
    | (EffectivePolicy['outlierDetection'] & { outlierDetectionHttpErrorCodes?: unknown; consecutiveErrors?: unknown })
    | undefined;
  if (outliers?.outlierDetectionHttpErrorCodes !== undefined) {
    report(
      ['outlierDetection', 'outlierDetectionHttpErrorCodes'],
      'unsupported/field',
      'own error codes for outlier detection are not supported: the field has no effect',
    );
  }
  if (outliers?.consecutiveErrors !== undefined) {
    report(
      ['outlierDetection', 'consecutiveErrors'],
      'unsupported/field',
      'consecutiveErrors is deprecated and has no effect',
      'use consecutive5xxErrors or consecutiveGatewayErrors',
    );
  }
  if (level.retryBudget?.budgetInterval !== undefined) {
    report(
      ['retryBudget', 'budgetInterval'],
      'unsupported/field',
      'budgetInterval is not supported: the budget counts the requests that are under way',
    );
  }
  return out;
}

function policyProblems(resource: Resource, path: FieldPath, level: Level | undefined, at: At): Problem[] {
  if (level === undefined) return [];
  const ports = (level.portLevelSettings ?? []).flatMap((port, i) => levelProblems(resource, [...path, 'portLevelSettings', i], port, at));
  return [...levelProblems(resource, path, level, at), ...ports];
}

/** What a DestinationRule asks for and these clusters do not carry out. */
export function ruleProblems(rule: DestinationRuleView, scope: ProxyScope): Problem[] {
  const at: At = { rule, scope };
  const { spec, subsetOrigins, resource } = rule;
  const out = policyProblems(resource, ['spec', 'trafficPolicy'], spec.trafficPolicy as Level | undefined, at);
  for (const [i, subset] of (spec.subsets ?? []).entries()) {
    const origin = subsetOrigins[i] ?? { resource, path: ['spec', 'subsets', i] };
    out.push(...policyProblems(origin.resource, [...origin.path, 'trafficPolicy'], subset.trafficPolicy as Level | undefined, at));
  }
  return out;
}
