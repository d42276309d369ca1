/** The agent that writes status: adds up what all agents say, and writes what is another thing than it says already. */
import { performance } from 'node:perf_hooks';
import type { Problem } from '../../src/errors.ts';
import { pause } from '../../src/kubernetes/back-off.ts';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import type { Log } from '../log.ts';
import { applyObject } from './apply.ts';
import { evaluation, type WantedStatus } from './evaluate.ts';
import { createEventRecorder } from './event-recorder.ts';
import type { LiveCondition, LiveObject, WantedCondition } from './live-object.ts';
import { liveOrigin } from './live-object.ts';
import { watchLiveObjects } from './live-objects.ts';
import { conditionTime } from './merge-conditions.ts';
import { readReports } from './reports.ts';
import { createSettling, SETTLE_TIMING, type SettleTiming } from './settle.ts';
import { eventsOf, refusalEvents } from './status-events.ts';
import { gatewayPatch, istioPatch, routePatch, type StatusPatch } from './status-patch.ts';
import { createWriteQueue, WRITE_RATE, type WriteRate } from './write-queue.ts';

export interface LeaderOptions {
  readonly client: ApiClient;
  /** Where the agents' ConfigMaps are. */
  readonly namespace: string;
  /** Of this process. */
  readonly instance: string;
  /** What the agent itself has of the cluster now. */
  mesh(): Mesh | undefined;
  problems(): readonly Problem[];
  readonly log: Log;
  readonly settle?: Partial<SettleTiming> | undefined;
  readonly rate?: Partial<WriteRate> | undefined;
  /** Changes are gathered for so long, in milliseconds. */
  readonly gatherMs?: number | undefined;
}

export interface Leader {
  /** The mesh, or what is wrong with it, is another one. */
  changed(): void;
  /** Ends with the signal, once nothing is written any more. */
  readonly ended: Promise<void>;
}

const GATHER_MS = 1000;
/** Of the time that goes into looking: what a large mesh takes is spread. */
const SHARE = 0.1;
/** Looked at without a change: agents may have fallen silent. */
const LOOK_MS = 60_000;
/** Where all is well and only counts are others, one object is brought up to date in so long. */
const COUNTS_MS = 10_000;

const conditionsIn = (value: unknown): readonly LiveCondition[] => (Array.isArray(value) ? (value as readonly LiveCondition[]) : []);

/** Begins to write, until the signal. */
export function lead(options: LeaderOptions, signal: AbortSignal): Leader {
  const { client, log, instance } = options;
  let wake = Promise.withResolvers<void>();
  const changed = (): void => wake.resolve();
  const live = watchLiveObjects({ client, namespace: options.namespace, changed, log, signal });
  const queue = createWriteQueue({ rate: { ...WRITE_RATE, ...options.rate }, log, signal, written: () => undefined });
  const events = createEventRecorder({ client, instance, log, signal });
  const settling = createSettling({ ...SETTLE_TIMING, ...options.settle });
  const proxyRefusals = refusalEvents(events);

  function patchOf(object: LiveObject, wanted: WantedStatus, now: string): StatusPatch | undefined {
    if (wanted.form === 'istio') return istioPatch(object, wanted.conditions, now);
    return wanted.form === 'gateway' ? gatewayPatch(object, wanted.status, now) : routePatch(object, wanted.parents, now);
  }

  /** Keeps what is said as long as what is to be said may be over soon: the status as it may be written now, and when to look again. */
  function settled(
    key: string,
    object: LiveObject,
    wanted: WantedStatus,
    now: number,
  ): { wanted: WantedStatus | undefined; again: number } {
    if (wanted.form === 'route') return { wanted, again: 0 };
    const said = conditionsIn(object.status?.['conditions']);
    const { generation } = object.metadata;
    let again = 0;
    let hold = false;
    const settle = (place: string, conditions: readonly WantedCondition[], before: readonly LiveCondition[]): WantedCondition[] =>
      conditions.map((condition) => {
        const known = before.find(({ type }) => type === condition.type);
        const wait = settling.wait(`${key} ${place}${condition.type}`, condition, known, generation, now);
        if (wait === 0) return condition;
        again = again === 0 ? wait : Math.min(again, wait);
        if (known === undefined || String(known.observedGeneration) !== String(generation)) hold = true;
        return known === undefined ? condition : asWanted(known);
      });
    if (wanted.form === 'istio') {
      const conditions = settle('', wanted.conditions, said);
      return { wanted: hold ? undefined : { form: 'istio', conditions }, again };
    }
    const { status } = wanted;
    const listed = (object.status?.['listeners'] ?? []) as readonly { name: string; conditions?: unknown }[];
    const conditions = settle('', status.conditions, said);
    const listeners = status.listeners?.map((l) => ({
      ...l,
      conditions: settle(`${l.name} `, l.conditions, conditionsIn(listed.find(({ name }) => name === l.name)?.conditions)),
    }));
    return { wanted: hold ? undefined : { form: 'gateway', status: { ...status, conditions, ...(listeners && { listeners }) } }, again };
  }

  let countsAt = 0;

  /** Looks at everything; gives the milliseconds after which to look again without a change. */
  function look(): number {
    const mesh = options.mesh();
    if (mesh === undefined) return LOOK_MS;
    const now = Date.now();
    const reports = readReports(live.summaries(), mesh, now);
    const evaluate = evaluation({ mesh, problems: options.problems(), reports });
    const needed = new Set<string>();
    let again = LOOK_MS;
    let outdated: { key: string; object: LiveObject; patch: StatusPatch } | undefined;
    for (const [key, object] of live.objects()) {
      const wanted = evaluate(object);
      if (wanted === undefined) continue;
      const { wanted: ready, again: soon } = settled(key, object, wanted, now);
      if (soon > 0) again = Math.min(again, soon);
      const patch = ready && patchOf(object, ready, conditionTime(now));
      if (patch === undefined) {
        const exact =
          ready?.form === 'istio' && outdated === undefined ? istioPatch(object, ready.conditions, conditionTime(now), true) : undefined;
        if (exact !== undefined) outdated = { key, object, patch: exact };
        continue;
      }
      needed.add(key);
      queue.put(key, writeOf(object, patch));
    }
    if (outdated !== undefined) again = Math.min(again, COUNTS_MS);
    if (outdated !== undefined && queue.size === 0 && now >= countsAt) {
      needed.add(outdated.key);
      queue.put(outdated.key, writeOf(outdated.object, outdated.patch));
      countsAt = now + COUNTS_MS;
    }
    queue.keepOnly(needed);
    settling.keepOnly((key) => live.has(key.slice(0, key.indexOf(' '))));
    proxyRefusals.look(reports.refusals, mesh);
    return again;
  }

  function writeOf(object: LiveObject, patch: StatusPatch) {
    return {
      version: object.metadata.resourceVersion,
      origin: liveOrigin(object),
      kind: object.kind,
      async send(signal: AbortSignal): Promise<void> {
        const written = (await applyObject(client, `${live.pathOf(object)}/status`, patch.body, signal)) as LiveObject;
        const { apiVersion, kind, metadata, status } = written;
        const { name, namespace, uid, generation, resourceVersion } = metadata;
        const kept = { name, ...(namespace && { namespace }), uid, generation, resourceVersion };
        live.wrote({ apiVersion, kind, metadata: kept, ...(status && { status }) });
        for (const event of eventsOf(object, patch.transitions)) events.record(event);
      },
    };
  }

  async function run(): Promise<void> {
    await live.ready;
    while (!signal.aborted) {
      wake = Promise.withResolvers();
      const started = performance.now();
      let again = LOOK_MS;
      try {
        again = look();
      } catch (error) {
        // The next change may mend it; the agent's own work must not suffer.
        log.error('status could not be worked out', { why: (error as Error).message });
      }
      const took = performance.now() - started;
      await pause(Math.max(options.gatherMs ?? GATHER_MS, took / SHARE), signal);
      const rest = new AbortController();
      await Promise.race([wake.promise, pause(again, AbortSignal.any([signal, rest.signal]))]);
      rest.abort();
    }
  }

  return { changed, ended: run() };
}

function asWanted({ type, status, reason = '', message = '' }: LiveCondition): WantedCondition {
  return { type, status: status as WantedCondition['status'], reason, message };
}
