/** Several clusters as one source: the first one's configuration, with the services and endpoints of all. */
import { CLUSTER_ID } from '../mesh/locality.ts';
import { createApiClient } from './client.ts';
import { ISTIO_NAMESPACE } from './cluster-source.ts';
import { type ClusterWatch, type ClusterWatchOptions, watchCluster } from './cluster-watch.ts';
import type { ClusterAccess } from './kube-config.ts';
import { createReachability } from './reachability.ts';
import { type RemoteCluster, watchRemoteSecrets } from './remote-secrets.ts';
import { watchRemotes } from './remote-watches.ts';
import { WATCH_TIMING } from './watch-collection.ts';

export interface ClustersWatchOptions extends Omit<ClusterWatchOptions, 'remote'> {
  /** Other clusters that are known from the start, by their contexts' names. */
  others: readonly ClusterAccess[];
  /** Whether Secrets of the own cluster may name more. */
  followSecrets: boolean;
}

/** How long a start waits for other clusters than the own one. Milliseconds. */
const PATIENCE_MS = 5000;

/** Begins to watch. Whatever becomes of other clusters, the own one alone decides when there is something to read. */
export function watchClusters(options: ClustersWatchOptions): ClusterWatch {
  const { access, others, followSecrets, changed, note, istioNamespace } = options;
  const timing = { ...WATCH_TIMING, ...options.timing };
  const stop = new AbortController();
  const client = createApiClient(access);
  const own = watchCluster(options);
  const named: RemoteCluster[] = others.map((other) => ({
    id: other.context,
    access: other,
    from: `the context ${other.context}`,
    version: '',
  }));
  const remotes = watchRemotes({ ownId: options.clusterId ?? CLUSTER_ID, istioNamespace, timing: options.timing, changed, note });
  remotes.follow(named);
  const secrets = followSecrets
    ? watchRemoteSecrets({
        client,
        namespace: istioNamespace ?? ISTIO_NAMESPACE,
        reachability: createReachability(client, stop.signal),
        timing,
        signal: stop.signal,
        note,
        found: (clusters) => remotes.follow([...named, ...clusters]),
      })
    : Promise.resolve();
  const ready = Promise.all([own.ready, secrets.then(() => remotes.settled(PATIENCE_MS))]).then(() => undefined);
  return {
    ready,
    read() {
      const read = own.read();
      // Without the own cluster's configuration the others say nothing.
      return read.problems.length > 0 ? read : { ...read, objects: [...(read.objects ?? []), ...remotes.objects()] };
    },
    close() {
      stop.abort();
      own.close();
      remotes.close();
      client.close();
    },
  };
}
