import type { JWTRule, RequestAuthentication } from '../../config/kinds/security.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Mesh, ProxyNode } from '../types.ts';
import { policiesFor } from './policies-for.ts';

/** One rule for tokens, and where it stands. */
export interface JwtRuleView {
  rule: JWTRule;
  resource: Resource<RequestAuthentication>;
  path: FieldPath;
}

/** The rules of all RequestAuthentications that a proxy is under, united and sorted by issuer (Istio). */
export function jwtRules(mesh: Pick<Mesh, 'ofKind' | 'config'>, proxy: ProxyNode): JwtRuleView[] {
  const rules = policiesFor<RequestAuthentication>(mesh, 'RequestAuthentication', proxy).flatMap((resource) =>
    (resource.spec.jwtRules ?? []).map((rule, i): JwtRuleView => ({ rule, resource, path: ['spec', 'jwtRules', i] })),
  );
  const issuer = ({ rule }: JwtRuleView): string => rule.issuer ?? '';
  return rules.sort((a, b) => (issuer(a) < issuer(b) ? -1 : issuer(a) > issuer(b) ? 1 : 0));
}
