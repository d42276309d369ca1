/**
 * What Telemetry resources and the mesh's settings say about traces. Istio: resources of the root namespace, the proxy's namespace and its
 * workload apply one after the other; what a narrower one says replaces the wider one's word, field by field.
 */
import type { MeshConfig } from '../config/kinds/mesh-config.ts';
import type { TelemetryTracing } from '../config/kinds/telemetry/telemetry-tracing.ts';
import type { Mesh, ProxyNode } from '../mesh/types.ts';
import { telemetryFor } from './telemetry-levels.ts';

export type ExtensionProvider = NonNullable<MeshConfig['extensionProviders']>[number];
export type TracingMode = 'CLIENT' | 'SERVER';

type MeshTags = NonNullable<NonNullable<MeshConfig['defaultConfig']>['tracing']>['customTags'];

export interface TracingSettings {
  /** The name of the provider; undefined where only `defaultConfig.tracing` says where spans go. */
  provider: string | undefined;
  /** Percent. */
  sampling: number;
  disabled: boolean;
  customTags: TelemetryTracing['customTags'] | MeshTags;
  useRequestId: boolean;
  istioTags: boolean;
  propagate: boolean;
}

/** Istio's: one request in a hundred. */
const DEFAULT_SAMPLING = 1;

/** The settings of one proxy; undefined when nothing asks for traces. */
export function tracingSettings(mesh: Pick<Mesh, 'ofKind' | 'config'>, proxy: ProxyNode, mode: TracingMode): TracingSettings | undefined {
  const { config } = mesh;
  const own = config.defaultConfig?.tracing;
  const entries = telemetryFor(mesh, proxy)
    .flatMap((t) => t.spec.tracing ?? [])
    .filter(({ match }) => (match?.mode ?? 'CLIENT_AND_SERVER') === 'CLIENT_AND_SERVER' || match?.mode === mode);
  if (config.enableTracing === false) return undefined;
  const settings: TracingSettings = {
    provider: config.defaultProviders?.tracing?.[0],
    sampling: own?.sampling ?? DEFAULT_SAMPLING,
    disabled: false,
    customTags: own?.customTags,
    useRequestId: true,
    istioTags: own?.enableIstioTags !== false,
    propagate: true,
  };
  for (const entry of entries) {
    const [named] = entry.providers ?? [];
    if (named) settings.provider = named.name;
    if (entry.randomSamplingPercentage !== undefined) settings.sampling = entry.randomSamplingPercentage;
    if (entry.disableSpanReporting !== undefined) settings.disabled = entry.disableSpanReporting;
    if (entry.customTags && Object.keys(entry.customTags).length > 0) settings.customTags = entry.customTags;
    if (entry.useRequestIdForTraceSampling !== undefined) settings.useRequestId = entry.useRequestIdForTraceSampling;
    if (entry.enableIstioTags !== undefined) settings.istioTags = entry.enableIstioTags;
    if (entry.disableContextPropagation !== undefined) settings.propagate = !entry.disableContextPropagation;
  }
  return settings.provider === undefined && own?.zipkin?.address === undefined ? undefined : settings;
}

export function tracingProvider(config: MeshConfig, name: string): ExtensionProvider | undefined {
  return config.extensionProviders?.find((p) => p.name?.toLowerCase() === name.toLowerCase());
}
