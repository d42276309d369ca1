import type { Metrics, MetricsOverrides } from '../../config/kinds/telemetry.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import { telemetryFor } from '../../envoy/telemetry-levels.ts';
import type { Mesh, ProxyNode } from '../../mesh/types.ts';
import { type CelExpression, compileCel } from '../cel/attributes.ts';
import { parseCel } from '../cel/parse.ts';
import { METRIC_NAMES, type MetricName } from './names.ts';

/** What Telemetry resources say of one metric. */
export interface MetricSettings {
  readonly disabled: boolean;
  /** By tag: its value, or `remove`. */
  readonly tags: ReadonlyMap<string, CelExpression | 'remove'>;
}

/** Of one proxy, for requests that it sends (CLIENT) or receives (SERVER). */
export interface ProxyMetrics {
  readonly metrics: ReadonlyMap<MetricName, MetricSettings>;
  /** Lower-case names of request headers that tags read. */
  readonly headers: readonly string[];
}

export type MetricMode = 'CLIENT' | 'SERVER';

const PROMETHEUS = 'prometheus';

type Providers = Pick<Mesh, 'config'>['config'];

/** Whether a provider is Prometheus: the built-in one, or a declared one. */
export function isPrometheus(config: Providers, name: string): boolean {
  const declared = config.extensionProviders?.find((p) => p.name?.toLowerCase() === name.toLowerCase());
  return declared === undefined ? name.toLowerCase() === PROMETHEUS : declared.prometheus !== undefined;
}

/** Istio: without a word about providers, those of the mesh; Istio's installations name `prometheus`, and so it is here without any. */
function isServed(levels: readonly (readonly Metrics[])[], config: Providers): boolean {
  let names = config.defaultProviders?.metrics ?? [PROMETHEUS];
  for (const level of levels) {
    const own = level.flatMap((m) => m.providers?.map((p) => p.name) ?? []);
    if (own.length > 0) names = own;
  }
  return names.some((name) => isPrometheus(config, name));
}

/** The metrics that an override is about; none for custom metrics. */
export function metricsOf(override: MetricsOverrides): readonly MetricName[] {
  if (override.match?.customMetric !== undefined) return [];
  const metric = override.match?.metric ?? 'ALL_METRICS';
  return metric === 'ALL_METRICS' ? METRIC_NAMES : [metric];
}

/** A tag's expression; a string says why it cannot be used. */
export function compileTag(value: string | undefined, headers: Set<string>): CelExpression | string {
  if (value === undefined || value === '') return 'it has no value';
  const parsed = parseCel(value);
  return 'message' in parsed ? `${parsed.message}, at position ${parsed.at + 1}` : compileCel(parsed, headers);
}

interface Draft {
  disabled: boolean;
  tags: Map<string, CelExpression | 'remove'>;
}

/** What applies to a proxy: the mesh's levels in turn, each override in order; the last word counts (Istio). */
export function metricSettings(mesh: Pick<Mesh, 'ofKind' | 'config'>, proxy: ProxyNode, mode: MetricMode): ProxyMetrics {
  const levels = telemetryFor(mesh, proxy)
    .map((t) => t.spec.metrics ?? [])
    .filter((m) => m.length > 0);
  const drafts = new Map<MetricName, Draft>(METRIC_NAMES.map((name) => [name, { disabled: false, tags: new Map() }]));
  const headers = new Set<string>();
  for (const override of levels.flat().flatMap((m) => m.overrides ?? [])) {
    const wanted = override.match?.mode ?? 'CLIENT_AND_SERVER';
    if (wanted !== 'CLIENT_AND_SERVER' && wanted !== mode) continue;
    for (const metric of metricsOf(override)) apply(override, drafts.get(metric)!, headers);
  }
  if (!isServed(levels, mesh.config)) for (const draft of drafts.values()) draft.disabled = true;
  return { metrics: drafts, headers: [...headers].sort() };
}

function apply(override: MetricsOverrides, draft: Draft, headers: Set<string>): void {
  if (override.disabled !== undefined) draft.disabled = override.disabled;
  for (const [tag, { operation, value }] of Object.entries(override.tagOverrides ?? {})) {
    if (operation === 'REMOVE') draft.tags.set(tag, 'remove');
    else {
      const expression = compileTag(value, headers);
      if (typeof expression !== 'string') draft.tags.set(tag, expression);
    }
  }
}

/** Where the tag overrides of a resource stand, for problems. */
export function tagOverridesIn(
  telemetry: Resource<{ metrics?: readonly Metrics[] }>,
): { tag: string; operation: string | undefined; value: string | undefined; path: FieldPath }[] {
  return (telemetry.spec.metrics ?? []).flatMap((metrics, i) =>
    (metrics.overrides ?? []).flatMap((override, j) =>
      Object.entries(override.tagOverrides ?? {}).map(([tag, { operation, value }]) => ({
        tag,
        operation,
        value,
        path: ['spec', 'metrics', i, 'overrides', j, 'tagOverrides', tag, ...(value === undefined ? [] : ['value'])],
      })),
    ),
  );
}
