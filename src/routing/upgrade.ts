import type { RouteActionJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { ProblemList } from './problems.ts';
import type { CompiledRouteAction, RouteDecision } from './types.ts';

/** Compiles upgrade_configs of a route. */
export function compileUpgrades(
  action: RouteActionJson,
  path: string,
  problems: ProblemList,
): Pick<CompiledRouteAction, 'upgrades' | 'connect'> {
  const upgrades = new Map<string, boolean>();
  let connect: CompiledRouteAction['connect'];
  (action.upgradeConfigs ?? []).forEach((config, i) => {
    const field = `${path}.upgradeConfigs[${i}]`;
    const type = (config.upgradeType ?? '').toLowerCase();
    if (upgrades.has(type)) problems.invalid(`${field}.upgradeType`, `duplicate upgrade ${JSON.stringify(type)}`);
    upgrades.set(type, config.enabled ?? true);
    if (config.connectConfig === undefined) return;
    if (type !== 'connect') problems.invalid(`${field}.connectConfig`, `the upgrade ${JSON.stringify(type)} is not CONNECT`);
    if (config.connectConfig.proxyProtocolConfig !== undefined) problems.unsupported(`${field}.connectConfig.proxyProtocolConfig`);
    connect = { allowPost: config.connectConfig.allowPost === true };
  });
  return { upgrades, connect };
}

/** Whether a switch of protocols may go upstream: the route's word counts, else the connection manager's. */
export function upgradeAllowed(decision: RouteDecision, type: string, connectionManager: ReadonlyMap<string, boolean>): boolean {
  const key = type.toLowerCase();
  return decision.action.upgrades.get(key) ?? connectionManager.get(key) ?? false;
}
