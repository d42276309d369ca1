import type { AuthorizationPolicy, Rule } from '../../config/kinds/security.ts';
import type { Resource } from '../../config/resource.ts';
import { isSubset, type Labels } from '../../mesh/labels.ts';
import { isDryRun } from '../../mesh/security/authorization-policies.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { isAttached, selectorOf } from '../model/policy-scope.ts';
import { type Access, type Reference, referenceTo } from './types.ts';

type Policy = Resource<AuthorizationPolicy>;

/** The AuthorizationPolicies that a workload is under, those of the root namespace included. */
export function policiesOver(
  model: AnalysisModel,
  { namespace, labels }: { readonly namespace: string; readonly labels: Labels },
): Policy[] {
  const byNamespace = model.shared('authorization policies', () =>
    Map.groupBy(
      model.of<AuthorizationPolicy>('AuthorizationPolicy').filter((policy) => !isAttached(policy)),
      ({ metadata }) => metadata.namespace,
    ),
  );
  const namespaces = new Set([namespace, model.rootNamespace]);
  return [...namespaces].flatMap((name) => byNamespace.get(name) ?? []).filter((policy) => isSubset(selectorOf(policy), labels));
}

/**
 * Who may call a port. DENY that refuses everything wins; without any ALLOW policy everybody may; else what the rules for the port say. Where
 * a provider is asked about everything (CUSTOM) it decides.
 *
 * @see https://istio.io/latest/docs/concepts/security/#implicit-enablement
 */
export function accessTo(policies: readonly Policy[], port: number | undefined): Access {
  const about = (rule: Rule): boolean => {
    const ports = (rule.to ?? []).map(({ operation }) => operation?.ports ?? []);
    return ports.length === 0 || ports.some((list) => list.length === 0 || port === undefined || list.includes(String(port)));
  };
  const rulesOf = (policy: Policy) =>
    (policy.spec.rules ?? []).flatMap((rule, i) =>
      about(rule ?? {}) ? [{ rule: rule ?? {}, reference: (): Reference => referenceTo(policy, ['spec', 'rules', i]) }] : [],
    );
  const byAction = (action: string): Policy[] =>
    policies.filter((policy) => (policy.spec.action ?? 'ALLOW') === action && !isDryRun(policy));
  const denied = byAction('DENY')
    .flatMap(rulesOf)
    .find(({ rule }) => isEverything(rule));
  if (denied !== undefined) return { callers: 'nobody', byIdentity: true, who: [], references: [denied.reference()] };
  const allowing = byAction('ALLOW');
  if (allowing.length === 0) {
    const asked = byAction('CUSTOM').find((policy) => rulesOf(policy).some(({ rule }) => isEverything(rule)));
    if (asked !== undefined) {
      const who = [`whom ${asked.spec.provider?.name ?? 'its provider'} lets in`];
      return { callers: 'some', byIdentity: false, who, references: [referenceTo(asked, ['spec', 'provider'])] };
    }
    return { callers: 'everyone', byIdentity: false, who: [], references: [] };
  }
  const rules = allowing.flatMap(rulesOf);
  const open = rules.find(({ rule }) => isEverything(rule));
  if (open !== undefined) return { callers: 'everyone', byIdentity: false, who: [], references: [open.reference()] };
  if (rules.length === 0)
    return { callers: 'nobody', byIdentity: true, who: [], references: allowing.map((policy) => referenceTo(policy, ['spec'])) };
  return {
    callers: 'some',
    byIdentity: rules.every(({ rule }) => asksWho(rule)),
    who: [...new Set(rules.flatMap(({ rule }) => describe(rule)))],
    references: rules.map(({ reference }) => reference()),
  };
}

/** Who may call where nothing carries out policies: everyone, whatever they say. */
export function accessWithoutProxy(policies: readonly Policy[]): Access {
  const acting = policies.filter((policy) => policy.spec.action !== 'AUDIT' && !isDryRun(policy));
  return { callers: 'everyone', byIdentity: false, who: [], references: acting.map((policy) => referenceTo(policy, ['spec'])) };
}

/** A rule about ports alone lets everybody in there. */
function isEverything({ from = [], to = [], when = [] }: Rule): boolean {
  const onlyPorts = to.some(({ operation = {} }) =>
    Object.entries(operation).every(([field, list]) => field === 'ports' || (list ?? []).length === 0),
  );
  return from.length === 0 && when.length === 0 && (to.length === 0 || onlyPorts);
}

const WHO = ['principals', 'namespaces', 'serviceAccounts', 'trustDomains', 'requestPrincipals'] as const;

function asksWho({ from = [], when = [] }: Rule): boolean {
  const sources =
    from.length > 0 &&
    from.every(({ source = {} }) => WHO.some((field) => (source[field]?.length ?? 0) > 0 && !source[field]!.includes('*')));
  return (
    sources || when.some(({ key, values = [] }) => /^(?:source\.(?:principal|namespace)|request\.auth\.)/.test(key) && values.length > 0)
  );
}

const WORDS: readonly (readonly [(typeof WHO)[number] | 'ipBlocks' | 'remoteIpBlocks', string])[] = [
  ['principals', ''],
  ['serviceAccounts', 'account '],
  ['namespaces', 'namespace '],
  ['trustDomains', 'trust domain '],
  ['requestPrincipals', 'token '],
  ['ipBlocks', ''],
  ['remoteIpBlocks', 'from '],
];

function describe({ from = [], to = [], when = [] }: Rule): string[] {
  const sources = from.flatMap(({ source = {} }) =>
    WORDS.flatMap(([field, word]) => (source[field] ?? []).map((value) => `${word}${value}`)),
  );
  if (sources.length > 0) return sources;
  if (from.length > 0) return ['all but some'];
  if (when.length > 0) return when.map(({ key }) => `by ${key}`);
  return to.flatMap(({ operation = {} }) => [
    `anybody: ${[...(operation.methods ?? []), ...(operation.paths ?? []), ...(operation.hosts ?? [])].join(' ') || 'some requests'}`,
  ]);
}
