import type { AuthorizationPolicy, Rule } from '../config/kinds/security.ts';
import type { FieldPath, Resource } from '../config/resource.ts';
import { configPath, fieldOf } from '../envoy/metadata.ts';
import { unguardedPorts } from '../envoy/security/policy-problems.ts';
import { rulePolicy } from '../envoy/security/rule-policy.ts';
import { originOf } from '../explain/locator.ts';
import { either, permissionWords, principalWords, sentence } from '../explain/security/rule-words.ts';
import type { Origin } from '../explain/types.ts';
import { identityOf } from '../mesh/identity.ts';
import { authorizationPolicies, isDryRun } from '../mesh/security/authorization-policies.ts';
import { effectiveMtls } from '../mesh/security/peer-authentication.ts';
import { jwtRules } from '../mesh/security/request-authentications.ts';
import type { Mesh, ProxyNode } from '../mesh/types.ts';
import type { GuardedPort, PolicyInWords, RuleInWords, WorkloadPolicies } from './types.ts';

const at = (resource: Resource, path: FieldPath): Origin => originOf(resource, configPath(resource), fieldOf(path) || undefined);

function ruleInWords(rule: Rule, policy: Resource<AuthorizationPolicy>, index: number, mesh: Mesh): RuleInWords {
  const { action = 'ALLOW' } = policy.spec;
  const { trustDomain, trustDomainAliases = [] } = mesh.config;
  const made = rulePolicy(rule, {
    namespace: policy.metadata.namespace,
    trustDomains: [trustDomain, ...trustDomainAliases],
    tcp: false,
    when: action === 'ALLOW' ? 'narrow' : 'wide',
  });
  const origin = at(policy, ['spec', 'rules', index]);
  if (made === undefined) return { who: '', what: '', origin, leftOut: 'it has a condition that cannot be expressed' };
  const words = (text: string, all: string): string => (text === 'anything' ? all : text);
  return {
    who: words(sentence(either((made.principals ?? []).map(principalWords))), 'anybody'),
    what: words(sentence(either((made.permissions ?? []).map(permissionWords))), 'everything'),
    origin,
  };
}

/** A policy with its rules in words. */
export function policyInWords(policy: Resource<AuthorizationPolicy>, mesh: Mesh): PolicyInWords {
  const { action = 'ALLOW', rules = [], provider } = policy.spec;
  return {
    action,
    name: policy.metadata.name,
    namespace: policy.metadata.namespace,
    dryRun: isDryRun(policy),
    ...(provider?.name && { provider: provider.name }),
    rules: rules.map((rule, i) => ruleInWords(rule, policy, i, mesh)),
    origin: at(policy, ['spec']),
  };
}

function guardedPorts(mesh: Mesh, proxy: ProxyNode): GuardedPort[] {
  const scope = mesh.scope(proxy);
  if (proxy.type === 'router') return [];
  const unguarded = new Set(unguardedPorts(scope));
  const ports = new Map<number, string>();
  for (const { targetPort, port } of scope.instances) if (port.protocol !== 'UDP') ports.set(targetPort, port.protocol);
  for (const { port } of scope.ingress ?? []) if (port.number && !ports.has(port.number)) ports.set(port.number, port.protocol ?? '');
  const peers = mesh.peerAuthentications.policiesFor(proxy.namespace, proxy.labels);
  return [...ports]
    .sort(([a], [b]) => a - b)
    .map(([port, protocol]) => {
      const { mode, by } = effectiveMtls(peers, port);
      return { port, protocol, guarded: !unguarded.has(port), mtls: { mode, ...(by && { origin: at(by.resource, by.at) }) } };
    });
}

/** The policies that a workload is under, in the order in which they are asked: CUSTOM, tokens, DENY, ALLOW, AUDIT beside them. */
export function workloadPolicies(mesh: Mesh, proxy: ProxyNode): WorkloadPolicies {
  const { CUSTOM, DENY, ALLOW, AUDIT } = authorizationPolicies(mesh, proxy);
  return {
    version: 1,
    workload: `${proxy.name}.${proxy.namespace}`,
    proxy: proxy.type === 'router' ? 'gateway' : 'sidecar',
    identity: identityOf(proxy, mesh.config),
    ports: guardedPorts(mesh, proxy),
    policies: [...CUSTOM, ...DENY, ...ALLOW, ...AUDIT].map((policy) => policyInWords(policy, mesh)),
    tokens: jwtRules(mesh, proxy).map(({ rule, resource, path }) => ({
      issuer: rule.issuer ?? '',
      audiences: rule.audiences ?? [],
      origin: at(resource, path),
    })),
    otherwise: ALLOW.some((policy) => !isDryRun(policy)) ? 'denied' : 'allowed',
  };
}
