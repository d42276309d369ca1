/** The agent's own metrics: what it runs, whether configuration goes through, how its engine is. */
import { labelText } from '../../src/telemetry/metrics/exposition.ts';
import { counterFamily, type Family, histogramFamily } from '../../src/telemetry/metrics/family.ts';
import type { Controller } from '../controller.ts';
import type { Engine } from '../engine.ts';
import type { EventHub } from '../events.ts';
import type { AgentStatus } from '../status.ts';
import { certificateFamilies } from './certificate-families.ts';

const PREFIX = 'fairlead_agent_';
/** There is a series for each proxy at most. */
const NO_LIMIT = Number.POSITIVE_INFINITY;
/** Seconds: a route is milliseconds, a large mesh seconds. */
const APPLY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const nothing = (): void => undefined;

type Series = readonly (readonly [labels: Record<string, string>, value: number])[];

/** A family that is read when it is asked for. */
function read(name: string, type: 'gauge' | 'counter', help: string, series: () => Series): Family {
  return {
    name: name.startsWith('process_') ? name : PREFIX + name,
    type,
    help,
    *samples() {
      for (const [labels, value] of series()) yield { suffix: '', labels: labelText(labels), value };
    },
  };
}

export interface AgentFamiliesOptions {
  engine: Engine;
  controller: Controller;
  events: EventHub;
  status(): AgentStatus;
}

/** Follows the agent's events from now on. `close` lets go of them; idempotent. */
export function createAgentFamilies(options: AgentFamiliesOptions): { families: readonly Family[]; close(): void } {
  const { engine, controller, events, status } = options;
  const updates = counterFamily(`${PREFIX}config_updates_total`, 'Configurations that were read, by outcome.', NO_LIMIT, nothing);
  const refusals = counterFamily(`${PREFIX}proxy_refusals_total`, 'Configurations that a proxy refused.', NO_LIMIT, nothing);
  const took = histogramFamily(
    `${PREFIX}config_duration_seconds`,
    'From reading a configuration to its last proxy, in seconds.',
    NO_LIMIT,
    nothing,
    APPLY_BUCKETS,
  );
  for (const result of ['accepted', 'refused']) updates.add(labelText({ result }), 0);
  const close = events.subscribe((event) => {
    if (event.type !== 'config') return;
    const { event: change } = event;
    if (change.type === 'proxy-refused') {
      const { node } = change.proxy;
      refusals.add(labelText({ proxy: `${node.name}.${node.namespace}` }), 1);
      return;
    }
    if (change.type === 'proxy-taken') return;
    updates.add(labelText({ result: change.type }), 1);
    if (change.type === 'accepted') took.observe('', change.config.took / 1000);
  });
  const config = (): ReturnType<Controller['config']> => controller.config();
  const problems = (severity: string): number => config().problems.filter((p) => p.severity === severity).length;
  const started = Date.now() / 1000 - process.uptime();
  const families: Family[] = [
    read('info', 'gauge', 'The agent and its engine.', () => {
      const { engine: name, engineVersion } = engine.status();
      return [[{ version: status().version, engine: name, engine_version: engineVersion }, 1]];
    }),
    read('config_state', 'gauge', '1 for the state of the configuration.', () =>
      (['loading', 'accepted', 'refused'] as const).map((state) => [{ state }, config().state === state ? 1 : 0]),
    ),
    read('config_timestamp_seconds', 'gauge', 'When a configuration was last read.', () => [[{}, config().at / 1000]]),
    read('config_files', 'gauge', 'Files of the configuration.', () => [[{}, config().files]]),
    read('config_resources', 'gauge', 'Resources of the configuration.', () => [[{}, config().resources]]),
    read('config_problems', 'gauge', 'What is wrong with the configuration.', () =>
      ['error', 'warning'].map((severity) => [{ severity }, problems(severity)]),
    ),
    updates,
    took,
    refusals,
    read('proxy_synced', 'gauge', '1 where a proxy runs the newest configuration.', () =>
      status().proxies.map(({ name: proxy, sync }) => [{ proxy }, sync === 'SYNCED' ? 1 : 0]),
    ),
    read('proxy_config_info', 'gauge', 'The version of the configuration that a proxy runs.', () =>
      status().proxies.flatMap(({ name: proxy, version: running }) => (running === undefined ? [] : [[{ proxy, version: running }, 1]])),
    ),
    read('proxy_config_timestamp_seconds', 'gauge', 'When a proxy took its configuration.', () =>
      controller
        .proxies()
        .flatMap(({ node, applied }) => (applied ? [[{ proxy: `${node.name}.${node.namespace}` }, applied.at / 1000]] : [])),
    ),
    read('proxy_xds_synced', 'gauge', '1 where a proxy has the newest of a type; only Envoy tells by type.', () =>
      controller
        .proxies()
        .flatMap(({ node }) =>
          (engine.sync(node.id) ?? []).map(({ type, state }): Series[number] => [
            { proxy: `${node.name}.${node.namespace}`, type },
            state === 'SYNCED' ? 1 : 0,
          ]),
        ),
    ),
    ...certificateFamilies(() => status().identity),
    read('engine_up', 'gauge', '1 while the data plane runs.', () => [[{}, engine.status().state === 'running' ? 1 : 0]]),
    read('engine_restarts_total', 'counter', 'How often the data plane was started anew.', () => [[{}, engine.status().restarts]]),
    read('process_start_time_seconds', 'gauge', 'When the agent was started.', () => [[{}, started]]),
    read('process_cpu_seconds_total', 'counter', 'CPU time of the agent.', () => {
      const { user, system } = process.cpuUsage();
      return [[{}, (user + system) / 1e6]];
    }),
    read('process_resident_memory_bytes', 'gauge', 'Memory of the agent.', () => [[{}, process.memoryUsage.rss()]]),
  ];
  return { families, close };
}
