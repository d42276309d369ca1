/** Which change of configuration made which changes of Envoy config. */
import type { DestinationRule, ServiceEntry, VirtualService } from '../config/kinds/networking.ts';
import { completeHost } from '../mesh/host-match.ts';
import type { ConfigChange } from './config-changes.ts';
import type { EnvoyChange } from './envoy-changes.ts';

/** Changes of one piece of Envoy config that are equal on several proxies. */
export interface Effect extends Omit<EnvoyChange, 'proxy'> {
  proxies: readonly string[];
}

export interface Cause {
  /** undefined: what no change of a resource explains. */
  config: ConfigChange | undefined;
  effects: readonly Effect[];
}

/** Hosts that a resource is about, complete. */
function hostsOf({ resource }: ConfigChange, domain: string): string[] {
  const { kind, metadata, spec } = resource;
  const complete = (host: string | undefined): string[] => (host ? [completeHost(host, metadata.namespace, domain)] : []);
  if (kind === 'VirtualService') return ((spec as VirtualService).hosts ?? []).flatMap(complete);
  if (kind === 'DestinationRule') return complete((spec as DestinationRule).host);
  if (kind === 'ServiceEntry') return ((spec as ServiceEntry).hosts ?? []).flatMap(complete);
  if (kind === 'Service' || kind === 'Endpoints') return complete(metadata.name);
  if (kind === 'EndpointSlice') return complete(metadata.labels['kubernetes.io/service-name']);
  return [];
}

/** Merges what is the same on several proxies. */
function effectsOf(changes: readonly EnvoyChange[]): Effect[] {
  const effects = new Map<string, Effect & { proxies: string[] }>();
  for (const { proxy, ...change } of changes) {
    const key = JSON.stringify([change.type, change.name, change.change, change.fields]);
    const known = effects.get(key);
    if (known) known.proxies.push(proxy);
    else effects.set(key, { ...change, proxies: [proxy] });
  }
  return [...effects.values()];
}

/**
 * Groups changes by cause: by the resource that Envoy's metadata names, else by the host that both are about; when a single resource was
 * changed, all is its doing. A change of config that changes no proxy is a cause without effects, which people should know.
 */
export function causesOf(configs: readonly ConfigChange[], changes: readonly EnvoyChange[], domain: string): Cause[] {
  const byConfig = new Map(configs.map((config) => [config.config, config]));
  const byHost = new Map<string, ConfigChange[]>();
  for (const config of configs) for (const host of hostsOf(config, domain)) byHost.set(host, [...(byHost.get(host) ?? []), config]);
  const found = new Map<ConfigChange | undefined, EnvoyChange[]>(configs.map((config) => [config, []]));
  for (const change of changes) {
    const named = change.configs.map((config) => byConfig.get(config)).find((config) => config !== undefined);
    const about = change.host === undefined ? undefined : (byHost.get(change.host)?.[0] ?? undefined);
    const cause = named ?? about ?? (configs.length === 1 ? configs[0] : undefined);
    found.set(cause, [...(found.get(cause) ?? []), change]);
  }
  return [...found].map(([config, list]) => ({ config, effects: effectsOf(list) }));
}
