/** Policies by the workloads that they are for. */

import { policyInWords } from '../authz/workload-policies.ts';
import type { EnvoyFilter, ProxyConfig, Sidecar } from '../config/kinds/networking.ts';
import type { AuthorizationPolicy, PeerAuthentication, RequestAuthentication } from '../config/kinds/security.ts';
import type { PolicyTargetReference } from '../config/kinds/selector.ts';
import type { Telemetry } from '../config/kinds/telemetry.ts';
import { originOf, type Resource } from '../config/resource.ts';
import { telemetryFor } from '../envoy/telemetry-levels.ts';
import { unsupportedProblems } from '../envoy/unsupported-problems.ts';
import type { Problem } from '../errors.ts';
import { isSubset, type Labels } from '../mesh/labels.ts';
import { isDryRun } from '../mesh/security/authorization-policies.ts';
import { isNamespaceWide } from '../mesh/security/peer-authentication.ts';
import type { Mesh, ProxyNode } from '../mesh/types.ts';
import { originAt } from './origin-at.ts';
import type { AppliedPolicy, Shadow } from './types.ts';

/** Kinds that say by a selector which workloads they are for. A Sidecar is told apart: one workload has one. */
export const POLICY_KINDS = [
  'AuthorizationPolicy',
  'PeerAuthentication',
  'RequestAuthentication',
  'Telemetry',
  'EnvoyFilter',
  'WasmPlugin',
  'TrafficExtension',
  'ProxyConfig',
] as const;

interface Targeted {
  selector?: { matchLabels?: Labels };
  workloadSelector?: { labels?: Labels; matchLabels?: Labels };
  targetRef?: PolicyTargetReference;
  targetRefs?: readonly PolicyTargetReference[];
}

export function selectorOf({ spec }: Resource): Labels {
  const { selector, workloadSelector } = (spec ?? {}) as Targeted;
  return selector?.matchLabels ?? workloadSelector?.labels ?? workloadSelector?.matchLabels ?? {};
}

/** What a policy is attached to in place of workloads. */
export function targetsOf({ spec }: Resource): readonly PolicyTargetReference[] {
  const { targetRef, targetRefs = [] } = (spec ?? {}) as Targeted;
  return targetRef === undefined ? targetRefs : [targetRef, ...targetRefs];
}

/** Whether a policy is meant for a workload: by namespace (the root namespace's are for all) and labels. */
export function isFor(
  policy: Resource,
  { namespace, labels, type }: Pick<ProxyNode, 'namespace' | 'labels' | 'type'>,
  mesh: Mesh,
): boolean {
  // What gateways accept is said by their servers.
  if (policy.kind === 'PeerAuthentication' && type === 'router') return false;
  const own = policy.metadata.namespace === namespace;
  if (!own && policy.metadata.namespace !== mesh.config.rootNamespace) return false;
  if (targetsOf(policy).length > 0) return false;
  return isSubset(selectorOf(policy), labels);
}

export function scopeOf(policy: Resource, mesh: Mesh): AppliedPolicy['scope'] {
  if (targetsOf(policy).length > 0) return 'attached';
  if (Object.keys(selectorOf(policy)).length > 0) return 'workload';
  return policy.metadata.namespace === mesh.config.rootNamespace ? 'mesh' : 'namespace';
}

const by = (other: Resource, why: string): Shadow => ({ why, by: originAt(other) });

/** Why a policy that is meant for a workload does nothing there; undefined when it acts. */
export function shadowOf(policy: Resource, proxy: ProxyNode, mesh: Mesh): Shadow | undefined {
  if (policy.kind === 'PeerAuthentication') return peerShadow(policy as Resource<PeerAuthentication>, proxy, mesh);
  if (policy.kind !== 'Telemetry') return undefined;
  const acting = telemetryFor(mesh, proxy);
  if (acting.includes(policy as Resource<Telemetry>)) return undefined;
  const same = acting.find((t) => scopeOf(t, mesh) === scopeOf(policy, mesh));
  return same === undefined
    ? { why: 'one with a selector in the root namespace is for the workloads of that namespace' }
    : by(same, 'an older Telemetry of the same scope is used');
}

function peerShadow(policy: Resource<PeerAuthentication>, { namespace, labels }: ProxyNode, mesh: Mesh): Shadow | undefined {
  const acting = mesh.peerAuthentications.policiesFor(namespace, labels);
  if (policy.metadata.namespace === mesh.config.rootNamespace && !isNamespaceWide(policy))
    return { why: 'a PeerAuthentication with a selector in the root namespace is for nobody' };
  const scope = scopeOf(policy, mesh) as 'mesh' | 'namespace' | 'workload';
  const older = acting[scope];
  if (older !== policy) return older && by(older, 'an older PeerAuthentication of the same scope is used');
  const sets = (p: Resource<PeerAuthentication> | undefined): boolean => !['UNSET', undefined].includes(p?.spec.mtls?.mode);
  const narrower = scope === 'mesh' ? [acting.workload, acting.namespace] : scope === 'namespace' ? [acting.workload] : [];
  const over = narrower.find(sets);
  return over && by(over, 'a narrower PeerAuthentication sets the mode');
}

const plural = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;

/** A policy in a few words: `DENY, 2 rules`. */
export function policySummary(resource: Resource): string {
  const { kind, spec } = resource;
  if (kind === 'AuthorizationPolicy') {
    const { action = 'ALLOW', rules = [] } = spec as AuthorizationPolicy;
    const dry = isDryRun(resource as Resource<AuthorizationPolicy>) ? ', dry run: only said, not enforced' : '';
    if (rules.length === 0) return `${action === 'ALLOW' ? 'ALLOW nothing' : `${action} without rules: never`}${dry}`;
    return (
      (rules.some((r) => Object.keys(r ?? {}).length === 0) ? `${action} everything` : `${action}, ${plural(rules.length, 'rule')}`) + dry
    );
  }
  if (kind === 'PeerAuthentication') {
    const { mtls, portLevelMtls = {} } = spec as PeerAuthentication;
    const ports = Object.entries(portLevelMtls).map(([port, m]) => `${port}: ${m.mode ?? 'UNSET'}`);
    return [`mTLS ${mtls?.mode ?? 'UNSET'}`, ...ports].join(', ');
  }
  if (kind === 'RequestAuthentication') {
    const issuers = ((spec as RequestAuthentication).jwtRules ?? []).map((r) => r.issuer);
    return issuers.length === 0 ? 'no tokens' : `tokens of ${issuers.join(', ')}`;
  }
  if (kind === 'Telemetry') {
    const parts = ['metrics', 'tracing', 'accessLogging'].filter((part) => Object.hasOwn(spec as Telemetry, part));
    return parts.join(', ') || 'nothing';
  }
  if (kind === 'EnvoyFilter') return plural(((spec as EnvoyFilter).configPatches ?? []).length, 'patch').replace('patchs', 'patches');
  if (kind === 'WasmPlugin') return `runs ${(spec as { url?: string }).url ?? 'a module'}`;
  if (kind === 'ProxyConfig')
    return (
      Object.keys(spec as ProxyConfig)
        .filter((k) => k !== 'selector')
        .join(', ') || 'nothing'
    );
  if (kind === 'Sidecar') {
    const { egress = [], ingress = [] } = spec as Sidecar;
    return [plural(egress.length, 'egress listener'), ...(ingress.length > 0 ? [plural(ingress.length, 'ingress listener')] : [])].join(
      ', ',
    );
  }
  return '';
}

/** What Fairlead says about a resource that it does not carry out, or not wholly. */
export function todayOf(policy: Resource, mesh: Mesh): string | undefined {
  const name = originOf(policy);
  return unsupportedProblems(mesh).find((p) => p.origin === name)?.message;
}

/** Every problem that is about one resource. */
export function problemsOf(resources: readonly Resource[], problems: readonly Problem[]): Problem[] {
  const names = new Set(resources.map(originOf));
  const seen = new Set<string>();
  return problems.filter((p) => {
    const key = `${p.rule} ${p.origin} ${p.path} ${p.message}`;
    if (p.origin === undefined || !names.has(p.origin) || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** The rules of a policy, each as one sentence with its line. */
export function rulesOf(policy: Resource<AuthorizationPolicy>, mesh: Mesh): NonNullable<AppliedPolicy['rules']> {
  return policyInWords(policy, mesh).rules.map(({ who, what, leftOut, origin }) => ({
    text: leftOut === undefined ? `${what}, ${who === 'anybody' ? 'by anybody' : `when ${who}`}` : `left out: ${leftOut}`,
    origin,
  }));
}

/** The policies that some workloads are under, in the order of kinds; each says for which of them where it is not for all. */
export function policiesFor(mesh: Mesh, proxies: readonly ProxyNode[]): AppliedPolicy[] {
  return POLICY_KINDS.flatMap((kind) =>
    mesh.ofKind(kind).flatMap((policy): AppliedPolicy[] => {
      const meant = proxies.filter((p) => isFor(policy, p, mesh));
      if (meant.length === 0) return [];
      const shadows = meant.map((p) => shadowOf(policy, p, mesh));
      const shadow = shadows.every((s) => s !== undefined) ? shadows[0] : undefined;
      const today = todayOf(policy, mesh);
      return [
        {
          origin: originAt(policy),
          summary: policySummary(policy),
          scope: scopeOf(policy, mesh),
          ...(kind === 'AuthorizationPolicy' && { rules: rulesOf(policy as Resource<AuthorizationPolicy>, mesh) }),
          ...(meant.length < proxies.length && { workloads: meant.map((p) => `${p.name}.${p.namespace}`) }),
          ...(shadow && { shadow }),
          ...(today !== undefined && { today }),
        },
      ];
    }),
  );
}
