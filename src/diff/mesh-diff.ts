/** What a change of configuration means: in resources, in every proxy's Envoy config, and for requests. */

import type { Resource } from '../config/resource.ts';
import type { ProxyView } from '../explain/view.ts';
import { type BehaviourChange, behaviourChanges, mergeBehaviour } from './behaviour.ts';
import { type Cause, causesOf } from './causes.ts';
import { configChanges } from './config-changes.ts';
import { type EnvoyChange, envoyChanges } from './envoy-changes.ts';
import { probesOf } from './probes.ts';

/** One side: its resources, and what its proxies run, by their names. */
export interface DiffSide {
  resources: readonly Resource[];
  views: ReadonlyMap<string, ProxyView>;
}

export interface MeshDiff {
  /** Of either side. */
  proxies: readonly string[];
  addedProxies: readonly string[];
  removedProxies: readonly string[];
  causes: readonly Cause[];
  behaviour: readonly BehaviourChange[];
  /** Requests that were tried on both sides. */
  tried: number;
}

/** @param domain of the mesh's Kubernetes services */
export function meshDiff(before: DiffSide, after: DiffSide, domain: string): MeshDiff {
  const proxies = [...new Set([...before.views.keys(), ...after.views.keys()])].sort();
  const changes: EnvoyChange[] = [];
  const behaviour: BehaviourChange[] = [];
  let tried = 0;
  for (const proxy of proxies) {
    const [was, is] = [before.views.get(proxy), after.views.get(proxy)];
    // A proxy that comes or goes is one change, not one for each of its resources.
    if (was === undefined || is === undefined) continue;
    const own = envoyChanges(proxy, was, is);
    if (own.length === 0) continue;
    changes.push(...own);
    const hosts = changedHosts(own, was, is);
    const probes = [...probesOf(was, hosts), ...probesOf(is, hosts)];
    const unique = [...new Map(probes.map((request) => [JSON.stringify(request), request])).values()];
    tried += unique.length;
    behaviour.push(...behaviourChanges(proxy, was, is, unique));
  }
  return {
    proxies,
    addedProxies: proxies.filter((name) => !before.views.has(name)),
    removedProxies: proxies.filter((name) => !after.views.has(name)),
    causes: causesOf(configChanges(before.resources, after.resources), changes, domain),
    behaviour: mergeBehaviour(behaviour),
    tried,
  };
}

/** Virtual hosts whose requests may end otherwise: those that changed, and those that lead to what changed. */
function changedHosts(changes: readonly EnvoyChange[], before: ProxyView, after: ProxyView): Set<string> {
  const hosts = new Set<string>();
  const clusters = new Set<string>();
  for (const { type, name, configs: _ } of changes) {
    if (type === 'virtual host') hosts.add(name);
    else if (type === 'route') hosts.add(name.split(' ')[0] as string);
    else if (type === 'cluster' || type === 'endpoints') clusters.add(name);
  }
  const changedConfigs = new Set(changes.filter((c) => c.type === 'route configuration').map((c) => c.name));
  const listeners = changes.some((c) => c.type === 'listener');
  for (const view of [before, after])
    for (const config of view.routes) {
      const whole = listeners || changedConfigs.has(config.name ?? '');
      for (const host of config.virtualHosts ?? []) {
        if (whole || (clusters.size > 0 && [...clusters].some((name) => JSON.stringify(host.routes).includes(`"${name}"`))))
          hosts.add(host.name ?? '');
      }
    }
  return hosts;
}
