import type { AnyJson } from '@bufbuild/protobuf/wkt';
import type { Decision, FilterConfig } from './types.ts';

const WRAPPER = 'type.googleapis.com/envoy.config.route.v3.FilterConfig';

/** Reads one level's typed_per_filter_config; FilterConfig wrappers are taken off. */
export function compileFilterConfigs(json: Readonly<Record<string, AnyJson>> | undefined): ReadonlyMap<string, FilterConfig> {
  const level = new Map<string, FilterConfig>();
  for (const [name, any] of Object.entries(json ?? {})) {
    const wrapper = any as { '@type'?: string; config?: AnyJson; disabled?: boolean };
    if (wrapper['@type'] === WRAPPER)
      level.set(name, { config: wrapper.config, disabled: wrapper.disabled ?? (wrapper.config === undefined ? undefined : false) });
    else level.set(name, { config: any, disabled: undefined });
  }
  return level;
}

/** A filter's configuration at the most specific level that has one (weighted cluster, route, virtual host, route configuration). */
export function filterConfig(decision: Decision, filter: string): AnyJson | undefined {
  for (const level of decision.filterLevels) {
    const found = level.get(filter);
    if (found?.config !== undefined) return found.config;
  }
  return undefined;
}

/** All of a filter's configurations, most specific first. */
export function filterConfigs(decision: Decision, filter: string): readonly AnyJson[] {
  const all: AnyJson[] = [];
  for (const level of decision.filterLevels) {
    const found = level.get(filter);
    if (found?.config !== undefined) all.push(found.config);
  }
  return all;
}

/** Whether a filter is switched off (true) or on (false) for the request; undefined leaves it to the filter chain. */
export function filterDisabled(decision: Decision, filter: string): boolean | undefined {
  for (const level of decision.filterLevels) {
    const disabled = level.get(filter)?.disabled;
    if (disabled !== undefined) return disabled;
  }
  return undefined;
}
