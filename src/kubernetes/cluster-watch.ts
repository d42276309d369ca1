/** A cluster as a source of configuration that is kept in step. What it had last stays while its API server is away. */

import type { HomeCluster } from '../config/resource.ts';
import { ObjectPlace, type SourceObject } from '../config/source-object.ts';
import type { SourceTexts } from '../config/sources/config-source.ts';
import { FairleadError, type Problem } from '../errors.ts';
import { isForbidden } from './api-error.ts';
import { pause } from './back-off.ts';
import { type ApiClient, createApiClient } from './client.ts';
import { type ClusterChoice, ISTIO_NAMESPACE } from './cluster-source.ts';
import { collectionPath, discover, type ServedKind } from './discovery.ts';
import { homeCluster, networkOf } from './home-cluster.ts';
import type { ClusterAccess } from './kube-config.ts';
import { configMapKind, isNeeded, namespaceKind, remoteKinds, secretKind, watchedKinds } from './mesh-kinds.ts';
import { namedSecrets } from './named-objects.ts';
import { createObjectStore, type ObjectStore } from './object-store.ts';
import { createReachability } from './reachability.ts';
import { slimmer } from './slim.ts';
import { WATCH_TIMING, type WatchTiming, watchCollection } from './watch-collection.ts';

/** How a cluster is watched. */
export interface ClusterWatchOptions extends Pick<ClusterChoice, 'namespace' | 'allNamespaces' | 'istioNamespace'> {
  access: ClusterAccess;
  /** Its name among several clusters; undefined: Istio's for the only one. */
  clusterId?: string | undefined;
  /** One besides the own cluster: where endpoints are is read, and no configuration. */
  remote?: boolean | undefined;
  /** Called after each burst of changes. */
  changed(): void;
  /** What goes wrong and what is well again, a sentence each. */
  note: Note;
  timing?: Partial<WatchTiming> | undefined;
}

/** Takes what is to be told; `warning` unless it is said. */
export type Note = (text: string, level?: 'info' | 'warning') => void;

export interface ClusterWatch {
  /** Resolves when everything was read once, or when it is known that this will take longer: `read` has a problem then. */
  readonly ready: Promise<void>;
  read(): SourceTexts;
  close(): void;
}

/** Quiet time that ends a burst of changes, and the longest that a burst may hold back a reload. Milliseconds. */
const QUIET_MS = 10;
const LONGEST_MS = 100;
const ASKING: ReadonlySet<string> = new Set(['Gateway', 'ReferenceGrant', 'DestinationRule', 'Pod', 'WorkloadEntry']);

interface Collection {
  readonly served: ServedKind;
  readonly store: ObjectStore;
  readonly stop: AbortController;
  synced: boolean;
  failure: Error | undefined;
}

/** Begins to watch all that a mesh is made of. Never throws for what the API server says: `read` tells what is missing. */
export function watchCluster(options: ClusterWatchOptions): ClusterWatch {
  const client = createApiClient(options.access);
  const timing = { ...WATCH_TIMING, ...options.timing };
  const stop = new AbortController();
  const reachability = createReachability(client, stop.signal);
  const collections = new Map<string, Collection>();
  const ready = Promise.withResolvers<void>();
  const notes = new Set<string>();
  let discovered = false;
  let discovery: Error | undefined;
  let asking = false;
  let timer: NodeJS.Timeout | undefined;
  let burstStarted = 0;
  let objects: readonly SourceObject[] | undefined;
  const remote = options.remote ?? false;
  const istioNamespace = options.istioNamespace ?? ISTIO_NAMESPACE;
  let home: HomeCluster | undefined = homeCluster(options.clusterId, '', remote);

  function noteOnce(text: string): void {
    if (notes.has(text)) return;
    notes.add(text);
    options.note(text);
  }

  function poke(collection: Collection): void {
    objects = undefined;
    if (ASKING.has(collection.served.kind.kind)) asking = true;
    const now = Date.now();
    if (timer) clearTimeout(timer);
    else burstStarted = now;
    timer = setTimeout(settle, Math.max(0, Math.min(QUIET_MS, burstStarted + LONGEST_MS - now)));
  }

  function settle(): void {
    timer = undefined;
    if (stop.signal.aborted) return;
    lookAtNetwork();
    if (asking && !remote) watchSecrets();
    asking = false;
    const first = !isReady;
    lookWhetherReady();
    // Before everything was read nobody reads.
    if (isReady && (!first || early)) options.changed();
  }

  /** The network is that of all objects: when its label changes they are others. */
  function lookAtNetwork(): void {
    const network = networkOf(collections.get('/Namespace')?.store.objects() ?? [], istioNamespace);
    if (network === (home?.network ?? '')) return;
    home = homeCluster(options.clusterId, network, remote);
    for (const { store } of collections.values()) store.remake();
    objects = undefined;
  }

  let isReady = false;
  /** Somebody waited no longer, and read before there was anything. */
  let early = false;
  function giveUpWaiting(): void {
    if (isReady) return;
    early = true;
    ready.resolve();
  }

  function lookWhetherReady(): void {
    if (isReady || missing() !== undefined) return;
    if (asking) return;
    isReady = true;
    ready.resolve();
  }

  /** Why not everything was read yet. */
  function missing(): Error | undefined {
    if (!discovered) return discovery ?? new Error('it was not asked yet');
    for (const { synced, failure, served } of collections.values())
      if (!synced) return failure ?? new Error(`its ${served.kind.plural} are being read`);
    return undefined;
  }

  function begin(key: string, served: ServedKind, namespace: string | undefined, name?: string): Collection {
    const place = (value: Record<string, unknown>): SourceObject => ({
      value,
      source: new ObjectPlace(client.context, value as never),
      ...(home && { cluster: home }),
    });
    const store = collections.get(key)?.store ?? createObjectStore(place);
    const collection: Collection = { served, store, stop: new AbortController(), synced: false, failure: undefined };
    collections.set(key, collection);
    const { kind, version } = served;
    const keep = slimmer(kind, kind.group === '' ? version : `${kind.group}/${version}`);
    void watchCollection({
      client,
      path: collectionPath(served, namespace),
      ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
      reachability,
      timing,
      signal: AbortSignal.any([stop.signal, collection.stop.signal]),
      keep,
      listed(values) {
        const changed = store.replace(values);
        const first = !collection.synced;
        collection.synced = true;
        wentWell(collection);
        if (changed || first) poke(collection);
      },
      opened: () => wentWell(collection),
      put: (value) => {
        if (store.put(value)) poke(collection);
      },
      dropped: (value) => {
        if (store.drop(value)) poke(collection);
      },
      failed: (error) => failed(key, collection, error, namespace),
    });
    return collection;
  }

  function wentWell(collection: Collection): void {
    if (collection.failure === undefined) return;
    collection.failure = undefined;
    if (outageNoted) options.note(`the API server of ${client.context} answers again`);
    outageNoted = false;
  }

  let outageNoted = false;
  /** True when the collection is given up. */
  function failed(key: string, collection: Collection, error: Error, namespace: string | undefined): boolean {
    collection.failure = error;
    const { kind } = collection.served;
    if (isForbidden(error)) {
      if (namespace === undefined && kind.scope === 'Namespaced' && !options.allNamespaces) {
        const own = options.namespace ?? client.namespace;
        noteOnce(`not all of ${client.context} may be read: ${kind.plural} are watched in namespace ${own} alone`);
        begin(key, collection.served, own);
        return true;
      }
      noteOnce(error.message);
      // It is done without, for now, and asked for again.
      if (!isNeeded(kind) && !collection.synced) {
        collection.synced = true;
        poke(collection);
      }
      if (!isNeeded(kind)) return false;
    } else if (!outageNoted) {
      outageNoted = true;
      options.note(`${error.message}; what it had last stays`);
    }
    giveUpWaiting();
    return false;
  }

  /** Watches the Secrets that are named now, and no others. */
  function watchSecrets(): void {
    const named = namedSecrets(
      (function* () {
        for (const { served, store } of collections.values())
          if (ASKING.has(served.kind.kind)) for (const { value } of store.objects()) yield value;
      })(),
    );
    const wanted = new Map(named.map((secret) => [`Secret ${secret.namespace}/${secret.name}`, secret]));
    for (const [key, collection] of collections) {
      if (!key.startsWith('Secret ') || wanted.has(key)) continue;
      collection.stop.abort();
      collections.delete(key);
      objects = undefined;
    }
    for (const [key, { namespace, name }] of wanted)
      if (!collections.has(key)) begin(key, { kind: secretKind, version: 'v1' }, namespace, name);
  }

  /** Whether all kinds are there. */
  async function lookForKinds(): Promise<boolean> {
    const { served, absent } = await discover(client, remote ? remoteKinds : watchedKinds, stop.signal);
    for (const one of served) {
      const key = `${one.kind.group}/${one.kind.kind}`;
      if (!collections.has(key)) begin(key, one, undefined);
    }
    for (const kind of absent) {
      const key = `${kind.group}/${kind.kind}`;
      const gone = collections.get(key);
      if (gone === undefined) continue;
      gone.stop.abort();
      collections.delete(key);
      poke(gone);
    }
    discovered = true;
    return absent.length === 0;
  }

  async function keepLooking(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        const all = await lookForKinds();
        discovery = undefined;
        reachability.succeeded();
        await pause((all ? 10 : 1) * timing.discover * (1 + Math.random() / 2), stop.signal);
      } catch (error) {
        if (stop.signal.aborted) return;
        discovery = error as Error;
        if (!outageNoted) options.note((error as Error).message);
        outageNoted = true;
        giveUpWaiting();
        await reachability.wait(error as Error);
      }
    }
  }

  if (remote) begin('/Namespace', { kind: namespaceKind, version: 'v1' }, undefined, istioNamespace);
  else begin('ConfigMap', { kind: configMapKind, version: 'v1' }, istioNamespace, 'istio');
  void keepLooking();
  return {
    ready: ready.promise,
    read() {
      const why = isReady ? undefined : missing();
      if (why !== undefined) return { files: [], objects: [], problems: [notRead(client, why)] };
      objects ??= [...collections].flatMap(([key, { store }]) => (remote && key === '/Namespace' ? [] : [...store.objects()]));
      return { files: [], objects, problems: [] };
    },
    close() {
      stop.abort();
      if (timer) clearTimeout(timer);
      ready.resolve();
      client.close();
    },
  };
}

/** Nothing is known of the cluster yet: an empty mesh would be wrong. */
function notRead({ context }: ApiClient, error: Error): Problem {
  const hint = error instanceof FairleadError ? error.next : undefined;
  return {
    severity: 'error',
    rule: 'cluster/unread',
    message: `the cluster ${context} could not be read yet: ${error.message}`,
    ...(hint === undefined ? {} : { hint }),
  };
}
