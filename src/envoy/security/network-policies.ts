import type { FilterJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { RBACJson } from '#envoy-api/envoy/extensions/filters/network/rbac/v3/rbac_pb.js';
import { authorizationPolicies } from '../../mesh/security/authorization-policies.ts';
import { typed } from '../any.ts';
import type { BuildContext } from '../context.ts';
import { AUTHORIZATION_ACTIONS } from './authorization-actions.ts';
import { customRules } from './custom-policies.ts';
import { EXT_AUTHZ_PREFIX, networkExtAuthz } from './ext-authz.ts';
import { rbacRules } from './rbac-rules.ts';

const NAME = 'envoy.filters.network.rbac';

const rbac = (config: RBACJson): FilterJson => ({
  name: NAME,
  typedConfig: typed<RBACJson>('envoy.extensions.filters.network.rbac.v3.RBAC', { ...config, statPrefix: 'tcp.' }),
});

/**
 * The network filters that carry policies out on TCP chains, in Istio's order: CUSTOM, AUDIT, DENY, ALLOW. None where a sidecar's
 * workload is the client.
 */
export function networkPolicyFilters(context: BuildContext): FilterJson[] {
  const { mesh, scope, proxy, receives } = context;
  if (proxy.type !== 'router' && !receives) return [];
  const policies = authorizationPolicies(mesh, proxy);
  const custom = customRules(mesh, scope, policies.CUSTOM, true);
  const out: FilterJson[] = [];
  // Istio: HTTP providers are not asked about connections.
  if (custom?.ask?.provider.kind === 'grpc') {
    out.push(rbac({ shadowRules: custom.rules, shadowRulesStatPrefix: EXT_AUTHZ_PREFIX }));
    out.push(networkExtAuthz(custom.ask.provider, custom.ask.target, NAME));
  } else if (custom && custom.ask === undefined) out.push(rbac({ rules: custom.rules }));
  for (const { kind, action, shadowRulesStatPrefix } of AUTHORIZATION_ACTIONS) {
    if (policies[kind].length === 0) continue;
    const { rules, shadowRules } = rbacRules(action, policies[kind], { config: mesh.config, tcp: true });
    out.push(rbac({ ...(rules && { rules }), ...(shadowRules && { shadowRules }), shadowRulesStatPrefix }));
  }
  return out;
}
