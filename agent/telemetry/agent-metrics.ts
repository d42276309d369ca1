/** Everything that the agent tells Prometheus: its own metrics, Istio's standard ones, and the proxies' own stats. */
import { familyText, labelText } from '../../src/telemetry/metrics/exposition.ts';
import { counterFamily } from '../../src/telemetry/metrics/family.ts';
import { seenIn } from '../../src/telemetry/metrics/seen.ts';
import { createStandardMetrics } from '../../src/telemetry/metrics/standard.ts';
import { type AgentFamiliesOptions, createAgentFamilies } from './agent-families.ts';
import { createStatsMerger } from './merge-stats.ts';

export interface AgentMetrics {
  /** Text format 0.0.4. `query` goes to the proxies' `/stats/prometheus`. Never rejects: a proxy that cannot be asked is told as such. */
  text(query: string): Promise<string>;
  close(): void;
}

export interface AgentMetricsOptions extends AgentFamiliesOptions {
  warn(message: string, fields: Record<string, unknown>): void;
}

/** How long a proxy's stats may take: Prometheus gives up after 10 s unless told otherwise. */
const PROXY_TIMEOUT_MS = 5000;

export function createAgentMetrics(options: AgentMetricsOptions): AgentMetrics {
  const { engine, controller, warn } = options;
  const standard = createStandardMetrics({
    mesh: () => controller.mesh(),
    proxies: () => controller.proxies().map((p) => p.node),
    ...(controller.partial
      ? {
          seen: (proxy) => {
            const snapshot = controller.proxies().find((p) => p.node.id === proxy.id)?.snapshot;
            return snapshot && seenIn(snapshot);
          },
        }
      : {}),
    onFull: (metric, limit) =>
      warn('a metric has too many series: further label values go to the series fairlead_overflow="true"', { metric, limit }),
  });
  const own = createAgentFamilies(options);
  const records = counterFamily('fairlead_agent_records_total', 'Finished requests and connections.', Number.POSITIVE_INFINITY, () => {});
  const forget = engine.onRecord((record) => {
    records.add(labelText({ proxy: record.proxy, direction: record.direction }), 1);
    standard.record(record);
  });

  async function proxyStats(query: string): Promise<string> {
    // Those that run elsewhere tell them there.
    if (engine.connected) return '';
    const merger = createStatsMerger();
    const answered = await Promise.all(
      controller.proxies().map(async ({ node }) => {
        const proxy = `${node.name}.${node.namespace}`;
        const text = await withTimeout(engine.admin(node.id, 'GET', `/stats/prometheus${query}`)).then(
          ({ status, body }) => (status === 200 ? body.toString('utf8') : undefined),
          () => undefined,
        );
        return [proxy, text] as const;
      }),
    );
    for (const [proxy, text] of answered) {
      const labels = labelText({ proxy });
      if (text !== undefined) merger.add(labels, text);
    }
    const asked = counterless(
      'fairlead_agent_proxy_stats_up',
      '1 where a proxy told its own stats.',
      answered.map(([proxy, text]) => [labelText({ proxy }), text === undefined ? 0 : 1]),
    );
    return asked + merger.text();
  }

  return {
    async text(query) {
      const overflows = counterless(
        'fairlead_agent_metric_overflows_total',
        'Values that found no room for a series of their own.',
        [['', standard.overflowed()]],
        'counter',
      );
      const families = [...own.families, records, ...standard.families()].map(familyText).join('');
      return families + overflows + (await proxyStats(query));
    },
    close() {
      forget();
      own.close();
    },
  };
}

function counterless(name: string, help: string, series: [labels: string, value: number][], type: 'gauge' | 'counter' = 'gauge'): string {
  return familyText({ name, help, type, samples: () => series.map(([labels, value]) => ({ suffix: '', labels, value })) });
}

function withTimeout<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('too late')), PROXY_TIMEOUT_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
