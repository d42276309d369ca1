import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { RBACJson as RulesJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { LoadedPolicy } from './types.ts';

const ORDER = ['DENY', 'ALLOW', 'LOG', 'CUSTOM'] as const;
const NOTHING = '_anonymous_match_nothing_';

interface RbacFilter {
  '@type'?: string;
  rules?: RulesJson;
  shadowRules?: RulesJson;
}

function rbacFilters(listeners: readonly ListenerJson[]): RbacFilter[] {
  const chains = listeners.flatMap((l) => [...(l.filterChains ?? []), ...(l.defaultFilterChain ? [l.defaultFilterChain] : [])]);
  const network = chains.flatMap((c) => c.filters ?? []);
  const http = network.flatMap((f) => (f.typedConfig as HttpConnectionManagerJson | undefined)?.httpFilters ?? []);
  return [...network, ...http].map((f) => (f.typedConfig ?? {}) as RbacFilter).filter((c) => /\.rbac\.v[23]\.RBAC$/.test(c['@type'] ?? ''));
}

/** The policies that a proxy has loaded, as `istioctl x authz check` lists them: dry runs are not among them. */
export function loadedPolicies(listeners: readonly ListenerJson[]): LoadedPolicy[] {
  const found = new Map<string, { action: LoadedPolicy['action']; policy: string; rules: Set<string> }>();
  const add = (action: LoadedPolicy['action'], name: string): void => {
    const [, namespace, policy, rule = name] = /ns\[([^\]]*)\]-policy\[([^\]]*)\]-rule\[(\d+)\]/.exec(name) ?? [];
    const shown = policy === undefined ? name : `${policy}.${namespace}`;
    const key = `${action} ${shown}`;
    const row = found.get(key) ?? { action, policy: shown, rules: new Set<string>() };
    row.rules.add(rule);
    found.set(key, row);
  };
  for (const { rules, shadowRules } of rbacFilters(listeners)) {
    const names = Object.keys(rules?.policies ?? {});
    const action = (rules?.action ?? 'ALLOW') as LoadedPolicy['action'];
    for (const name of names) add(name.startsWith('istio-ext-authz-') ? 'CUSTOM' : action, name);
    if (names.length === 0) found.set(`${action} ${NOTHING}`, { action, policy: NOTHING, rules: new Set() });
    for (const name of Object.keys(shadowRules?.policies ?? {})) if (name.startsWith('istio-ext-authz-')) add('CUSTOM', name);
  }
  return [...found.values()]
    .map(({ action, policy, rules }) => ({ action, policy, rules: rules.size }))
    .sort((a, b) => ORDER.indexOf(a.action) - ORDER.indexOf(b.action) || (a.policy < b.policy ? -1 : 1));
}
