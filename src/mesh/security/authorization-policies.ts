import type { AuthorizationPolicy } from '../../config/kinds/security.ts';
import type { Resource } from '../../config/resource.ts';
import type { Mesh, ProxyNode } from '../types.ts';
import { policiesFor } from './policies-for.ts';

/** What a policy is told to do; CUSTOM asks somebody outside. */
export type AuthorizationAction = 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM';

/** The AuthorizationPolicies of one proxy by their action, in the order in which Istio takes them. */
export type AuthorizationPolicies = Readonly<Record<AuthorizationAction, readonly Resource<AuthorizationPolicy>[]>>;

export function authorizationPolicies(mesh: Pick<Mesh, 'ofKind' | 'config'>, proxy: ProxyNode): AuthorizationPolicies {
  const found = policiesFor<AuthorizationPolicy>(mesh, 'AuthorizationPolicy', proxy);
  const of = (action: AuthorizationAction): Resource<AuthorizationPolicy>[] =>
    found.filter(({ spec }) => (spec.action ?? 'ALLOW') === action);
  return { ALLOW: of('ALLOW'), DENY: of('DENY'), AUDIT: of('AUDIT'), CUSTOM: of('CUSTOM') };
}

const yes = /^(?:1|t|T|TRUE|true|True)$/;

/** True for a policy that only says what it would do: annotation `istio.io/dry-run`, for ALLOW and DENY. */
export function isDryRun({ metadata, spec }: Resource<AuthorizationPolicy>): boolean {
  if (spec.action === 'AUDIT' || spec.action === 'CUSTOM') return false;
  return yes.test(metadata.annotations['istio.io/dry-run'] ?? '');
}
