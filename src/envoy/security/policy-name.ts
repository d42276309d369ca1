/** Names of policies in RBAC filters, which denials and logs name; Istio's to the letter. */
import type { AuthorizationPolicy } from '../../config/kinds/security.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Mesh } from '../../mesh/types.ts';

/** Before the names of rules that a provider is asked about. */
const CUSTOM_PREFIX = 'istio-ext-authz-';
/** Behind those that deny because nobody can be asked. */
export const BAD_CUSTOM_SUFFIX = '-deny-due-to-bad-CUSTOM-action';

/** `ns[<namespace>]-policy[<name>]-rule[<index>]`. */
export function policyName({ metadata }: Resource, rule: number): string {
  return `ns[${metadata.namespace}]-policy[${metadata.name}]-rule[${rule}]`;
}

/** What every name of a provider's rules begins with. */
export function customPrefix(provider: string): string {
  return `${CUSTOM_PREFIX}${provider}`;
}

/** The name of a rule that `provider` is asked about. */
export function customPolicyName(provider: string, policy: Resource, rule: number): string {
  return `${customPrefix(provider)}-${policyName(policy, rule)}`;
}

/** Where a policy of a filter was written. */
export interface PolicyOrigin {
  resource: Resource<AuthorizationPolicy>;
  /** The rule; `spec` when the policy has none. */
  path: FieldPath;
}

/**
 * The rule that a policy's name stands for: as filters have it, or inside a response code detail
 * (`rbac_access_denied_matched_policy[…]`). undefined for other names, and for policies that are gone.
 */
export function policyOfName(mesh: Pick<Mesh, 'ofKind'>, name: string): PolicyOrigin | undefined {
  const [, namespace, policy, index] = /ns\[([^\]]*)\]-policy\[([^\]]*)\]-rule\[(\d+)\]/.exec(name) ?? [];
  const resource = mesh
    .ofKind<AuthorizationPolicy>('AuthorizationPolicy')
    .find(({ metadata }) => metadata.namespace === namespace && metadata.name === policy);
  if (resource === undefined) return undefined;
  const rule = Number(index);
  const { rules = [] } = resource.spec;
  if (rules.length === 0 && rule === 0) return { resource, path: ['spec'] };
  return rule < rules.length ? { resource, path: ['spec', 'rules', rule] } : undefined;
}
