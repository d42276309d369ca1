/** CUSTOM: rules that find out which requests somebody outside is asked about, and who that is. */
import type { RBACJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import type { AuthorizationPolicy } from '../../config/kinds/security.ts';
import type { Resource } from '../../config/resource.ts';
import type { Mesh, ProxyScope } from '../../mesh/types.ts';
import { type FoundProvider, findProvider } from './ext-authz-target.ts';
import { BAD_CUSTOM_SUFFIX, customPolicyName } from './policy-name.ts';
import { rbacPolicies } from './rbac-rules.ts';

/** Either whom to ask about what `rules` match, or that what they match is denied: nobody can be asked. */
export type CustomRules = { readonly rules: RBACJson; readonly ask: FoundProvider } | { readonly rules: RBACJson; readonly ask: undefined };

/** The CUSTOM policies of a proxy; undefined when there are none. */
export function customRules(
  mesh: Mesh,
  scope: ProxyScope,
  policies: readonly Resource<AuthorizationPolicy>[],
  tcp: boolean,
): CustomRules | undefined {
  if (policies.length === 0) return undefined;
  const found = findProvider(mesh, scope, policies);
  const suffix = typeof found === 'string' ? BAD_CUSTOM_SUFFIX : '';
  const nameOf = (policy: Resource, rule: number): string =>
    customPolicyName((policy as Resource<AuthorizationPolicy>).spec.provider?.name ?? '', policy, rule) + suffix;
  const rules: RBACJson = { action: 'DENY', policies: rbacPolicies(policies, { config: mesh.config, tcp }, 'wide', nameOf) };
  return { rules, ask: typeof found === 'string' ? undefined : found };
}
