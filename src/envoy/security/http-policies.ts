import type { RBACJson } from '#envoy-api/envoy/extensions/filters/http/rbac/v3/rbac_pb.js';
import type { HttpFilterJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { authorizationPolicies } from '../../mesh/security/authorization-policies.ts';
import { typed } from '../any.ts';
import type { BuildContext } from '../context.ts';
import { AUTHORIZATION_ACTIONS } from './authorization-actions.ts';
import { customRules } from './custom-policies.ts';
import { EXT_AUTHZ_PREFIX, httpExtAuthz } from './ext-authz.ts';
import { jwtFilter } from './jwt.ts';
import { rbacRules } from './rbac-rules.ts';

const NAME = 'envoy.filters.http.rbac';

const rbac = (config: RBACJson): HttpFilterJson => ({
  name: NAME,
  typedConfig: typed<RBACJson>('envoy.extensions.filters.http.rbac.v3.RBAC', config),
});

/**
 * The HTTP filters that carry policies out, in Istio's order: CUSTOM, tokens, AUDIT, DENY, ALLOW. For requests that a workload
 * receives, and on gateways.
 */
export function httpPolicyFilters(context: BuildContext): HttpFilterJson[] {
  const { mesh, scope, proxy } = context;
  const policies = authorizationPolicies(mesh, proxy);
  const custom = customRules(mesh, scope, policies.CUSTOM, false);
  const out: HttpFilterJson[] = [];
  if (custom?.ask) {
    out.push(rbac({ shadowRules: custom.rules, shadowRulesStatPrefix: EXT_AUTHZ_PREFIX }));
    out.push(httpExtAuthz(custom.ask.provider, custom.ask.target, NAME));
  } else if (custom) out.push(rbac({ rules: custom.rules }));
  const jwt = jwtFilter(context);
  if (jwt) out.push(jwt);
  for (const { kind, action, shadowRulesStatPrefix } of AUTHORIZATION_ACTIONS) {
    if (policies[kind].length === 0) continue;
    const { rules, shadowRules } = rbacRules(action, policies[kind], { config: mesh.config, tcp: false });
    out.push(rbac({ ...(rules && { rules }), ...(shadowRules && { shadowRules }), shadowRulesStatPrefix }));
  }
  return out;
}
