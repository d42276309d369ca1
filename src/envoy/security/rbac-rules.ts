import type { PolicyJson, RBAC_ActionJson, RBACJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import type { AuthorizationPolicy } from '../../config/kinds/security.ts';
import type { Resource } from '../../config/resource.ts';
import { isDryRun } from '../../mesh/security/authorization-policies.ts';
import type { ResolvedMeshConfig } from '../../mesh/types.ts';
import { policyName } from './policy-name.ts';
import { NEVER, rulePolicy } from './rule-policy.ts';

/** The rules of policies of one action: those that are acted on, and those of dry runs. undefined where no policy has any. */
export interface RbacRules {
  rules: RBACJson | undefined;
  shadowRules: RBACJson | undefined;
}

/** What rules are made for. */
export interface RbacOptions {
  config: Pick<ResolvedMeshConfig, 'trustDomain' | 'trustDomainAliases'>;
  tcp: boolean;
}

/** `policies` by name, each rule one. */
export function rbacPolicies(
  policies: readonly Resource<AuthorizationPolicy>[],
  { config, tcp }: RbacOptions,
  when: 'narrow' | 'wide',
  nameOf: (policy: Resource, rule: number) => string = policyName,
): Record<string, PolicyJson> {
  const trustDomains = [config.trustDomain, ...(config.trustDomainAliases ?? [])];
  const out: Record<string, PolicyJson> = {};
  for (const policy of policies) {
    const { rules = [] } = policy.spec;
    const { namespace } = policy.metadata;
    for (const [i, rule] of rules.entries()) {
      const made = rulePolicy(rule, { namespace, trustDomains, tcp, when });
      if (made) out[nameOf(policy, i)] = made;
    }
    if (rules.length === 0) out[nameOf(policy, 0)] = NEVER;
  }
  return out;
}

/** The RBAC rules of the policies of one action. */
export function rbacRules(action: RBAC_ActionJson, policies: readonly Resource<AuthorizationPolicy>[], options: RbacOptions): RbacRules {
  const made = (some: readonly Resource<AuthorizationPolicy>[]): RBACJson | undefined =>
    some.length === 0 ? undefined : { action, policies: rbacPolicies(some, options, action === 'ALLOW' ? 'narrow' : 'wide') };
  return { rules: made(policies.filter((p) => !isDryRun(p))), shadowRules: made(policies.filter(isDryRun)) };
}
