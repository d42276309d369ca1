import type { EnvoyConfigObjectPatch, EnvoyFilter } from '../../config/kinds/networking.ts';
import type { Analyzer } from '../analyzer.ts';

/** Operations of EnvoyFilters that do nothing, or depend on the order of other EnvoyFilters. */
export const envoyFilterOperations: Analyzer = {
  name: 'envoy-filter-operations',
  codes: ['IST0133', 'IST0151', 'IST0152', 'IST0153', 'IST0154', 'IST0155'],
  run(model, report) {
    /** Names of filters that an earlier patch changes for some proxy versions only. */
    const versioned = new Set<string>();
    for (const resource of model.of<EnvoyFilter>('EnvoyFilter')) {
      report(
        'IST0133',
        resource,
        ['spec'],
        { err: 'an EnvoyFilter depends on how the configuration is generated, which changes with each version' },
        { atKey: true },
      );
      for (const [i, patch] of (resource.spec.configPatches ?? []).entries()) {
        if (patch.patch === undefined) continue;
        const code = codeOf(patch);
        const name = filterName(patch);
        const at = ['spec', 'configPatches', i, 'patch'];
        if (code !== 'relative') {
          if (code !== undefined) report(code, resource, at, {}, { atKey: true });
        } else if ((resource.spec.priority ?? 0) === 0) {
          report(versioned.has(name) ? 'IST0155' : 'IST0151', resource, at, {}, { atKey: true });
        }
        if (patch.match?.proxy?.proxyVersion) versioned.add(name);
      }
    }
  },
};

function codeOf({ applyTo = 'INVALID', patch }: EnvoyConfigObjectPatch): string | undefined {
  const ofRoutes = applyTo === 'ROUTE_CONFIGURATION' || applyTo === 'HTTP_ROUTE';
  switch (patch?.operation) {
    case 'ADD':
      return ofRoutes ? 'IST0153' : undefined;
    case 'REMOVE':
      return ofRoutes ? 'IST0154' : 'relative';
    case 'REPLACE':
      return applyTo === 'NETWORK_FILTER' || applyTo === 'HTTP_FILTER' || applyTo === 'VIRTUAL_HOST' ? 'relative' : 'IST0152';
    case 'INSERT_BEFORE':
    case 'INSERT_AFTER':
      return 'relative';
    default:
      return undefined;
  }
}

function filterName({ patch, match }: EnvoyConfigObjectPatch): string {
  const value = patch?.value as { name?: unknown } | undefined;
  if (value === undefined) return '';
  if (typeof value.name === 'string' && value.name !== '') return value.name;
  return match?.listener?.filterChain?.filter?.name ?? '';
}
