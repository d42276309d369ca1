import type { RBAC_ActionJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';

/** The actions that filters carry out themselves, in their order, with what stands before the findings of dry runs (Istio's prefixes). */
export const AUTHORIZATION_ACTIONS: readonly {
  kind: 'AUDIT' | 'DENY' | 'ALLOW';
  action: RBAC_ActionJson;
  shadowRulesStatPrefix: string;
}[] = [
  { kind: 'AUDIT', action: 'LOG', shadowRulesStatPrefix: 'istio_dry_run_allow_' },
  { kind: 'DENY', action: 'DENY', shadowRulesStatPrefix: 'istio_dry_run_deny_' },
  { kind: 'ALLOW', action: 'ALLOW', shadowRulesStatPrefix: 'istio_dry_run_allow_' },
];
