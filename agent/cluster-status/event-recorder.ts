/**
 * Events about objects, as `kubectl describe` and `kubectl events` show them. The same event again is one more of its series, not another object.
 * https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 */
import { createHash } from 'node:crypto';
import { ApiStatusError } from '../../src/kubernetes/api-error.ts';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import type { Log } from '../log.ts';

/** Who reports. */
export const EVENT_CONTROLLER = 'fairlead.dev/status';

export interface EventObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid: string; readonly resourceVersion?: string };
}

export interface StatusEvent {
  readonly regarding: EventObject;
  readonly type: 'Normal' | 'Warning';
  /** One word in CamelCase. */
  readonly reason: string;
  readonly note: string;
}

export interface EventRecorder {
  /** Says it soon; never rejects. More than a few a second are held back, the newest of an object is kept. */
  record(event: StatusEvent): void;
  /** How many wait. */
  readonly size: number;
}

/** The API server keeps events for an hour, and ends a series that was silent for some minutes. */
const SERIES_MS = 360_000;
/** A series is written again no oftener. */
const AGAIN_MS = 30_000;
const PER_SECOND = 5;
const BURST = 25;
const MOST_WAITING = 500;
const LONGEST_NOTE = 1000;

interface Series {
  readonly name: string;
  count: number;
  writtenAt: number;
  lastAt: number;
}

/** @param instance of this process */
export function createEventRecorder(options: { client: ApiClient; instance: string; log: Log; signal: AbortSignal }): EventRecorder {
  const { client, log, signal } = options;
  const waiting = new Map<string, StatusEvent>();
  const series = new Map<string, Series>();
  let tokens = BURST;
  let filledAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let warned = false;
  let busy = false;

  function schedule(): void {
    if (timer !== undefined || busy || waiting.size === 0 || signal.aborted) return;
    const now = performance.now();
    tokens = Math.min(BURST, tokens + ((now - filledAt) / 1000) * PER_SECOND);
    filledAt = now;
    timer = setTimeout(() => void sendNext(), tokens >= 1 ? 0 : ((1 - tokens) / PER_SECOND) * 1000);
  }

  async function sendNext(): Promise<void> {
    timer = undefined;
    const [entry] = waiting;
    if (entry === undefined || signal.aborted) return;
    busy = true;
    tokens--;
    waiting.delete(entry[0]);
    try {
      await send(entry[1]);
    } catch (error) {
      if (!warned && !signal.aborted) log.warning('an event could not be written', { why: (error as Error).message });
      warned = true;
    }
    busy = false;
    schedule();
  }

  async function send(event: StatusEvent): Promise<void> {
    const key = keyOf(event);
    const now = Date.now();
    for (const [known, { lastAt }] of series) if (now - lastAt > SERIES_MS) series.delete(known);
    const before = series.get(key);
    if (before !== undefined) {
      before.count++;
      before.lastAt = now;
      if (now - before.writtenAt < AGAIN_MS && before.count > 2) return;
      before.writtenAt = now;
      if (await patchSeries(event, before)) return;
    }
    const name = `${event.regarding.metadata.name.slice(0, 200)}.${BigInt(now * 1000).toString(16)}${key.slice(0, 6)}`;
    await create(event, name);
    series.set(key, { name, count: 1, writtenAt: now, lastAt: now });
  }

  const collection = ({ regarding }: StatusEvent): string =>
    `/apis/events.k8s.io/v1/namespaces/${regarding.metadata.namespace ?? 'default'}/events`;

  /** False when the event is not there any more. */
  async function patchSeries(event: StatusEvent, { name, count }: Series): Promise<boolean> {
    try {
      await client.request(`${collection(event)}/${name}`, {
        method: 'PATCH',
        contentType: 'application/merge-patch+json',
        body: { series: { count, lastObservedTime: microTime() } },
        signal,
      });
      return true;
    } catch (error) {
      if (error instanceof ApiStatusError && error.status === 404) return false;
      throw error;
    }
  }

  async function create(event: StatusEvent, name: string): Promise<void> {
    const { apiVersion, kind, metadata } = event.regarding;
    const { namespace, uid, resourceVersion } = metadata;
    await client.request(collection(event), {
      method: 'POST',
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name, namespace: namespace ?? 'default' },
        eventTime: microTime(),
        type: event.type,
        reason: event.reason,
        action: 'Reconcile',
        note: event.note.length > LONGEST_NOTE ? `${event.note.slice(0, LONGEST_NOTE - 1)}…` : event.note,
        regarding: {
          apiVersion,
          kind,
          name: metadata.name,
          uid,
          ...(namespace && { namespace }),
          ...(resourceVersion && { resourceVersion }),
        },
        reportingController: EVENT_CONTROLLER,
        reportingInstance: options.instance.slice(0, 128),
      },
      signal,
    });
  }

  return {
    record(event) {
      // Of many in a moment the newest for an object and reason counts; what has no room is in the status all the same.
      if (waiting.size >= MOST_WAITING) return;
      waiting.set(`${event.regarding.metadata.uid} ${event.reason}`, event);
      schedule();
    },
    get size() {
      return waiting.size + (busy ? 1 : 0);
    },
  };
}

/** What makes two events the same. */
function keyOf({ regarding, type, reason, note }: StatusEvent): string {
  return createHash('sha256').update([regarding.metadata.uid, type, reason, note].join('\n')).digest('hex');
}

const microTime = (): string => new Date().toISOString().replace('Z', '000Z');
