/** Secrets that make other clusters known, as Istio has them. https://istio.io/latest/docs/setup/install/multicluster/ */
import { isForbidden } from './api-error.ts';
import type { ApiClient } from './client.ts';
import type { Note } from './cluster-watch.ts';
import { collectionPath } from './discovery.ts';
import type { ClusterAccess } from './kube-config.ts';
import { secretKind } from './mesh-kinds.ts';
import type { Reachability } from './reachability.ts';
import { readRemoteKubeConfig } from './remote-kube-config.ts';
import { type WatchTiming, watchCollection } from './watch-collection.ts';

/** The label that such Secrets carry. */
export const REMOTE_SECRETS = 'istio/multiCluster=true';

/** A cluster besides the own one. */
export interface RemoteCluster {
  readonly id: string;
  readonly access: ClusterAccess;
  /** Where it was named: `the Secret istio-system/west`. */
  readonly from: string;
  /** Differs when it is to be asked otherwise than before. */
  readonly version: string;
}

type Item = Record<string, unknown>;
type Metadata = { name: string; namespace: string };

/** What a Secret says, each key a kubeconfig; `refused` is told. */
export function clustersOfSecret(secret: Item, refused: (text: string) => void): RemoteCluster[] {
  const { namespace, name } = secret['metadata'] as Metadata;
  const from = `the Secret ${namespace}/${name}`;
  return Object.entries((secret['data'] ?? {}) as Record<string, string>).flatMap(([id, data]) => {
    const read = readRemoteKubeConfig(Buffer.from(String(data), 'base64').toString('utf8'), id);
    if ('access' in read) return [{ id, access: read.access, from, version: String(data) }];
    refused(`the cluster ${id} is left out: the kubeconfig in ${from} is refused: ${read.refused}`);
    return [];
  });
}

export interface RemoteSecretsOptions {
  client: ApiClient;
  namespace: string;
  reachability: Reachability;
  timing: WatchTiming;
  signal: AbortSignal;
  note: Note;
  /** All that are named now, by Secret. */
  found(clusters: readonly RemoteCluster[]): void;
}

/** Follows them for as long as the signal lets it. Resolves when they were read once, or cannot be. */
export function watchRemoteSecrets(options: RemoteSecretsOptions): Promise<void> {
  const { client, namespace, reachability, timing, signal, note, found } = options;
  const ready = Promise.withResolvers<void>();
  const secrets = new Map<string, Item>();
  const told = new Set<string>();
  let forbidden = false;
  const nameOf = (object: Item): string => (object['metadata'] as Metadata).name;
  const tell = (): void => {
    const refused: string[] = [];
    const clusters = [...secrets.keys()].sort().flatMap((name) => clustersOfSecret(secrets.get(name)!, (text) => void refused.push(text)));
    for (const text of refused) if (!told.has(text)) note(text);
    told.clear();
    for (const text of refused) told.add(text);
    found(clusters);
    ready.resolve();
  };
  void watchCollection({
    client,
    path: collectionPath({ kind: secretKind, version: 'v1' }, namespace),
    labelSelector: REMOTE_SECRETS,
    reachability,
    timing,
    signal,
    keep: ({ metadata, data }) => ({ metadata: { name: (metadata as Metadata).name, namespace: (metadata as Metadata).namespace }, data }),
    listed(objects) {
      secrets.clear();
      for (const object of objects) secrets.set(nameOf(object), object);
      tell();
    },
    put(object) {
      secrets.set(nameOf(object), object);
      tell();
    },
    dropped(object) {
      secrets.delete(nameOf(object));
      tell();
    },
    opened: () => undefined,
    failed(error) {
      ready.resolve();
      // Asked again from time to time: it may be granted later.
      if (isForbidden(error) && !forbidden) {
        forbidden = true;
        note(`other clusters are not looked for in Secrets (istio/multiCluster): ${error.message}`, 'info');
      }
      return false;
    },
  });
  return ready.promise;
}
