/** Istio's standard metrics, made from request records. */
import type { Mesh, ProxyNode } from '../../mesh/types.ts';
import type { RequestRecord } from '../request-record.ts';
import { labelText } from './exposition.ts';
import { type CounterFamily, counterFamily, type Family, type HistogramFamily, histogramFamily } from './family.ts';
import { type Labels, standardLabels } from './labels.ts';
import { METRIC_NAMES, type MetricName, STANDARD_METRICS } from './names.ts';
import { UNKNOWN } from './peers.ts';
import type { Seen } from './seen.ts';
import { type MetricSettings, metricSettings, type ProxyMetrics } from './settings.ts';
import { createWho, type Who } from './who.ts';

export interface StandardMetrics {
  record(record: RequestRecord): void;
  families(): readonly Family[];
  /** Values that found no room for a series of their own. */
  overflowed(): number;
}

export interface StandardMetricsOptions {
  mesh(): Mesh | undefined;
  proxies(): readonly ProxyNode[];
  /** What a proxy's own configuration tells, where the mesh is that of one pod alone. */
  seen?(proxy: ProxyNode): Seen | undefined;
  /** Series a metric; SERIES_LIMIT without it. */
  limit?: number;
  /** Told once for each metric that is full. */
  onFull(metric: string, limit: number): void;
}

/**
 * Series that one metric may have in one agent. A node's proxies talk to some hundreds of workloads in a handful of codes; more is a tag whose
 * values never end, such as a path with ids in it, and would end the agent and the Prometheus that scrapes it.
 */
export const SERIES_LIMIT = 10_000;

/** What is computed once for a mesh and its proxies. */
interface View {
  mesh: Mesh;
  /** `<name>.<namespace>` */
  knows(proxy: string): boolean;
  who(record: RequestRecord): Who | undefined;
  settings(record: RequestRecord): ProxyMetrics | undefined;
}

function viewOf(mesh: Mesh, proxies: readonly ProxyNode[], seen: StandardMetricsOptions['seen']): View {
  const nodes = new Map(proxies.map((p) => [`${p.name}.${p.namespace}`, p]));
  const known = new Map<string, ProxyMetrics>();
  return {
    mesh,
    knows: (proxy) => nodes.has(proxy),
    who: createWho(mesh, proxies, seen),
    settings(record) {
      const node = nodes.get(record.proxy);
      if (node === undefined) return undefined;
      const mode = record.direction === 'inbound' ? 'SERVER' : 'CLIENT';
      const key = `${record.proxy} ${mode}`;
      let settings = known.get(key);
      if (settings === undefined) {
        settings = metricSettings(mesh, node, mode);
        known.set(key, settings);
      }
      return settings;
    },
  };
}

/** What each metric counts of a record; undefined when it is not about it. */
const VALUES: Readonly<Record<MetricName, (r: RequestRecord) => number | undefined>> = {
  REQUEST_COUNT: (r) => (r.protocol === 'TCP' ? undefined : 1),
  REQUEST_DURATION: (r) => (r.protocol === 'TCP' ? undefined : r.duration),
  REQUEST_SIZE: (r) => (r.protocol === 'TCP' ? undefined : r.bytesReceived),
  RESPONSE_SIZE: (r) => (r.protocol === 'TCP' ? undefined : r.bytesSent),
  GRPC_REQUEST_MESSAGES: (r) => r.grpcRequestMessages,
  GRPC_RESPONSE_MESSAGES: (r) => r.grpcResponseMessages,
  TCP_SENT_BYTES: (r) => (r.protocol === 'TCP' ? r.bytesSent : undefined),
  TCP_RECEIVED_BYTES: (r) => (r.protocol === 'TCP' ? r.bytesReceived : undefined),
  TCP_OPENED_CONNECTIONS: (r) => (r.protocol === 'TCP' ? 1 : undefined),
  TCP_CLOSED_CONNECTIONS: (r) => (r.protocol === 'TCP' ? 1 : undefined),
};

export function createStandardMetrics(options: StandardMetricsOptions): StandardMetrics {
  const { limit = SERIES_LIMIT, onFull } = options;
  let overflowed = 0;
  const families = new Map<MetricName, CounterFamily | HistogramFamily>();
  for (const metric of METRIC_NAMES) {
    const { name, help, type } = STANDARD_METRICS[metric];
    let told = false;
    const full = (): void => {
      overflowed++;
      if (!told) onFull(name, limit);
      told = true;
    };
    families.set(metric, (type === 'counter' ? counterFamily : histogramFamily)(name, help, limit, full));
  }
  let view: View | undefined;

  function viewFor(record: RequestRecord): View | undefined {
    const mesh = options.mesh();
    if (mesh === undefined) return undefined;
    // A proxy that came with this mesh may be told of a moment later.
    if (view?.mesh !== mesh || !view.knows(record.proxy)) view = viewOf(mesh, options.proxies(), options.seen);
    return view;
  }

  return {
    record(record) {
      // No filter chain took the connection: Istio's metrics begin inside them.
      if (record.protocol === 'TCP' && record.details === 'filter_chain_not_found') return;
      const now = viewFor(record);
      const settings = now?.settings(record);
      const who = now?.who(record);
      if (!settings || !who) return;
      const labels = standardLabels(record, who);
      const usual = labelText(labels);
      for (const metric of METRIC_NAMES) {
        const value = VALUES[metric](record);
        const setting = settings.metrics.get(metric)!;
        if (value === undefined || setting.disabled) continue;
        const key = setting.tags.size === 0 ? usual : labelText(overridden(labels, setting, record));
        const family = families.get(metric)!;
        if ('add' in family) family.add(key, value);
        else family.observe(key, value);
      }
    },
    families: () => [...families.values()],
    overflowed: () => overflowed,
  };
}

/** Istio: a tag whose expression fails is `unknown`. */
function overridden(labels: Labels, { tags }: MetricSettings, record: RequestRecord): Labels {
  const out = { ...labels };
  for (const [tag, expression] of tags) {
    if (expression === 'remove') delete out[tag];
    else out[tag] = String(expression(record) ?? UNKNOWN);
  }
  return out;
}
