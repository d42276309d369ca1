import type { Telemetry } from '../../config/kinds/telemetry.ts';
import type { Analyzer } from '../analyzer.ts';

/** Access logs that go nowhere, and tracing by a provider that proxies no longer have. */
export const telemetryProviders: Analyzer = {
  name: 'telemetry-providers',
  codes: ['IST0002', 'IST0157'],
  run(model, report) {
    const { defaultProviders, extensionProviders = [] } = model.meshConfig;
    const hasDefault = (defaultProviders?.accessLogging ?? []).length > 0;
    const lightstep = new Set(extensionProviders.filter((provider) => provider.lightstep !== undefined).map((provider) => provider.name));
    for (const resource of model.of<Telemetry>('Telemetry')) {
      const { name, namespace } = resource.metadata;
      for (const [i, { disabled, providers = [] }] of (resource.spec.accessLogging ?? []).entries()) {
        if (hasDefault || disabled === true || providers.length > 0) continue;
        report('IST0157', resource, ['spec', 'accessLogging', i], { name, namespace });
      }
      for (const [i, { providers = [] }] of (resource.spec.tracing ?? []).entries()) {
        for (const [j, provider] of providers.entries()) {
          if (!lightstep.has(provider.name)) continue;
          const detail = `provider ${provider.name} is Lightstep, which proxies do not support any more: use OpenTelemetry`;
          report('IST0002', resource, ['spec', 'tracing', i, 'providers', j, 'name'], { detail });
        }
      }
    }
  },
};
