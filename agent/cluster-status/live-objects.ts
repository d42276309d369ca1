/** The objects whose status is written, as they are in the cluster now: who they are and what their status says, and nothing else. */
import { kinds } from '../../src/config/kinds/registry.ts';
import { isForbidden } from '../../src/kubernetes/api-error.ts';
import { pause } from '../../src/kubernetes/back-off.ts';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import { collectionPath, discover, type ServedKind } from '../../src/kubernetes/discovery.ts';
import { createReachability } from '../../src/kubernetes/reachability.ts';
import { WATCH_TIMING, watchCollection } from '../../src/kubernetes/watch-collection.ts';
import type { Log } from '../log.ts';
import { type LiveObject, liveKey } from './live-object.ts';
import { SUMMARY_LABEL, SUMMARY_LABEL_VALUE } from './publisher.ts';
import type { SummaryObject } from './reports.ts';
import { hasStatus } from './versioned.ts';

type Item = Record<string, unknown>;

/** Kinds whose objects get a status. */
export const STATUS_KINDS = kinds.filter(hasStatus);

export interface LiveOptions {
  client: ApiClient;
  /** Where the agents' ConfigMaps are. */
  namespace: string;
  /** Something is another one now. */
  changed(): void;
  log: Log;
  signal: AbortSignal;
}

export interface LiveObjects {
  /** Resolves when everything was read once. */
  readonly ready: Promise<void>;
  /** By `liveKey`. */
  objects(): Iterable<[string, LiveObject]>;
  get(key: string): LiveObject | undefined;
  has(key: string): boolean;
  summaries(): Iterable<SummaryObject>;
  /** The path of an object. */
  pathOf(object: LiveObject): string;
  /** What the API server answered to a write, ahead of its watch. */
  wrote(object: LiveObject): void;
}

function keepLive({ kind, version }: ServedKind) {
  return (object: Item): Item => {
    const { name, namespace, uid, generation, resourceVersion } = object['metadata'] as LiveObject['metadata'];
    const status = object['status'] as object | undefined;
    return {
      apiVersion: `${kind.group}/${version}`,
      kind: kind.kind,
      metadata: { name, ...(namespace && { namespace }), uid, generation, resourceVersion },
      ...(status && { status }),
    };
  };
}

function keepSummary(object: Item): Item {
  const { name, namespace, annotations, ownerReferences } = object['metadata'] as SummaryObject['metadata'];
  return {
    metadata: { name, namespace, ...(annotations && { annotations }), ...(ownerReferences && { ownerReferences }) },
    data: object['data'],
  };
}

const versionOf = ({ metadata }: LiveObject): bigint => BigInt(/^\d+$/.test(metadata.resourceVersion) ? metadata.resourceVersion : 0);

/** Begins to watch. Never rejects; ends with the signal. */
export function watchLiveObjects({ client, namespace, changed, log, signal }: LiveOptions): LiveObjects {
  const reachability = createReachability(client, signal);
  const objects = new Map<string, LiveObject>();
  const summaries = new Map<string, SummaryObject>();
  /** Of each kind: its stop, and whether it was read. */
  const watched = new Map<string, { served: ServedKind; stop: AbortController; read: boolean }>();
  const ready = Promise.withResolvers<void>();
  let discovered = false;
  let summariesRead = false;

  function look(): void {
    if (discovered && summariesRead && [...watched.values()].every(({ read }) => read)) ready.resolve();
    changed();
  }

  const said = new Set<string>();
  /** Outages are told by whoever reads the mesh. */
  function failed(error: Error): void {
    if (!isForbidden(error) || said.has(error.message)) return;
    said.add(error.message);
    log.warning('status is not written for what may not be read', { why: error.message });
  }

  function begin(served: ServedKind): void {
    const key = `${served.kind.group}/${served.kind.kind}/`;
    const collection = { served, stop: new AbortController(), read: false };
    watched.set(key, collection);
    void watchCollection({
      client,
      path: collectionPath(served),
      reachability,
      timing: WATCH_TIMING,
      signal: AbortSignal.any([signal, collection.stop.signal]),
      keep: keepLive(served),
      listed(values) {
        const listed = new Set<string>();
        for (const value of values as unknown as LiveObject[]) {
          listed.add(liveKey(value));
          put(value);
        }
        for (const known of objects.keys()) if (known.startsWith(key) && !listed.has(known)) objects.delete(known);
        collection.read = true;
        look();
      },
      opened: () => undefined,
      put(value) {
        if (put(value as unknown as LiveObject)) changed();
      },
      dropped(value) {
        objects.delete(liveKey(value as unknown as LiveObject));
        changed();
      },
      failed(error) {
        failed(error);
        // Its objects get no status until it can be read; others do not wait for it.
        collection.read = true;
        look();
        return false;
      },
    });
  }

  /** True when it is news: an answer to a write is here before its watch tells. */
  function put(object: LiveObject): boolean {
    const key = liveKey(object);
    const known = objects.get(key);
    if (known !== undefined && known.metadata.uid === object.metadata.uid && versionOf(known) >= versionOf(object)) return false;
    objects.set(key, object);
    return true;
  }

  async function lookForKinds(): Promise<void> {
    while (!signal.aborted) {
      try {
        const { served, absent } = await discover(client, STATUS_KINDS, signal);
        for (const one of served) if (!watched.has(`${one.kind.group}/${one.kind.kind}/`)) begin(one);
        for (const { group, kind } of absent) {
          const key = `${group}/${kind}/`;
          watched.get(key)?.stop.abort();
          watched.delete(key);
          for (const known of objects.keys()) if (known.startsWith(key)) objects.delete(known);
        }
        discovered = true;
        look();
        await pause(WATCH_TIMING.discover * (1 + Math.random()), signal);
      } catch (error) {
        if (signal.aborted) return;
        failed(error as Error);
        await reachability.wait(error as Error);
      }
    }
  }

  const nameOf = (value: Item): string => (value as unknown as SummaryObject).metadata.name;
  void watchCollection({
    client,
    path: `/api/v1/namespaces/${namespace}/configmaps`,
    labelSelector: `${SUMMARY_LABEL}=${SUMMARY_LABEL_VALUE}`,
    reachability,
    timing: WATCH_TIMING,
    signal,
    keep: keepSummary,
    listed(values) {
      summaries.clear();
      for (const value of values) summaries.set(nameOf(value), value as unknown as SummaryObject);
      summariesRead = true;
      look();
    },
    opened: () => undefined,
    put(value) {
      summaries.set(nameOf(value), value as unknown as SummaryObject);
      changed();
    },
    dropped(value) {
      summaries.delete(nameOf(value));
      changed();
    },
    failed(error) {
      failed(error);
      return false;
    },
  });
  void lookForKinds();
  signal.addEventListener('abort', () => ready.resolve());
  return {
    ready: ready.promise,
    objects: () => objects,
    get: (key) => objects.get(key),
    has: (key) => objects.has(key),
    summaries: () => summaries.values(),
    pathOf(object) {
      const { served } = watched.get(`${object.apiVersion.slice(0, object.apiVersion.indexOf('/'))}/${object.kind}/`) ?? {};
      const kind = served ?? missing(object);
      return `${collectionPath(kind, object.metadata.namespace)}/${object.metadata.name}`;
    },
    wrote: (object) => void put(object),
  };
}

function missing({ kind }: LiveObject): never {
  throw new Error(`${kind} is not served any more`);
}
