import type { AuthorizationDecision } from './types.ts';

/** The body of a denied request's answer. */
export const DENIED_BODY = 'RBAC: access denied';

/** What rules leave in the dynamic metadata, under the filter's name. `prefix` ends in `shadow` or `enforced`. */
export function rbacMetadata(prefix: string, { allowed, policy }: AuthorizationDecision): Record<string, unknown> {
  return {
    ...(policy !== undefined && policy !== '' && { [`${prefix}_effective_policy_id`]: policy }),
    [`${prefix}_engine_result`]: allowed ? 'allowed' : 'denied',
  };
}

/** Envoy: `rbac_access_denied_matched_policy[name]`, without blanks, `none` where no policy matched. */
export function denialDetails(policy: string | undefined): string {
  return `rbac_access_denied_matched_policy[${policy === undefined || policy === '' ? 'none' : policy.replace(/\s/g, '_')}]`;
}
