import type { EnvoyFilter } from '../../config/kinds/networking.ts';
import type { Analyzer } from '../analyzer.ts';

/** What the value of a patch is, by what it is applied to. */
const TYPES: Readonly<Record<string, string>> = {
  CLUSTER: 'envoy.config.cluster.v3.Cluster',
  LISTENER: 'envoy.config.listener.v3.Listener',
  ROUTE_CONFIGURATION: 'envoy.config.route.v3.RouteConfiguration',
  FILTER_CHAIN: 'envoy.config.listener.v3.FilterChain',
  HTTP_FILTER: 'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter',
  NETWORK_FILTER: 'envoy.config.listener.v3.Filter',
  VIRTUAL_HOST: 'envoy.config.route.v3.VirtualHost',
  HTTP_ROUTE: 'envoy.config.route.v3.Route',
  EXTENSION_CONFIG: 'envoy.config.core.v3.TypedExtensionConfig',
  BOOTSTRAP: 'envoy.config.bootstrap.v3.Bootstrap',
  LISTENER_FILTER: 'envoy.config.listener.v3.ListenerFilter',
};

/** Values of EnvoyFilters that are no objects of Envoy's. */
export const envoyFilterValues: Analyzer = {
  name: 'envoy-filter-values',
  codes: ['IST0106', 'IST0133'],
  async run(model, report) {
    const filters = model.of<EnvoyFilter>('EnvoyFilter');
    if (filters.length === 0) return;
    const [{ loadWire }, { checkEnvoyValue }] = await Promise.all([import('../../envoy/wire.ts'), import('../model/envoy-value.ts')]);
    const { registry } = await loadWire();
    for (const resource of filters) {
      for (const [i, { applyTo = 'INVALID', match, patch }] of (resource.spec.configPatches ?? []).entries()) {
        const desc = registry.getMessage(TYPES[applyTo] ?? '');
        const value: unknown = patch?.value;
        if (desc === undefined || value === undefined || patch?.operation === 'REMOVE' || match?.context === 'WAYPOINT') continue;
        const at = ['spec', 'configPatches', i, 'patch', 'value'];
        checkEnvoyValue(desc, value, at, registry, ({ severity, at: place, message }) => {
          report(severity === 'error' ? 'IST0106' : 'IST0133', resource, place, { err: message }, { atKey: severity === 'warning' });
        });
        const object = value as {
          name?: unknown;
          typed_config?: unknown;
          typedConfig?: unknown;
          config_discovery?: unknown;
          configDiscovery?: unknown;
        };
        const typed = object.typed_config ?? object.typedConfig ?? object.config_discovery ?? object.configDiscovery;
        if (typed === undefined && patch?.operation !== 'MERGE' && desc.fields.some(({ name }) => name === 'typed_config')) {
          report(
            'IST0133',
            resource,
            at,
            { err: 'without `typed_config` the extension is found by its name only, which newer proxies refuse' },
            { atKey: true },
          );
        }
      }
    }
  },
};
