/** The clusters besides the own one, each watched for itself: one that cannot be reached leaves all others as they are. */
import type { SourceObject } from '../config/source-object.ts';
import { type ClusterWatch, type Note, watchCluster } from './cluster-watch.ts';
import type { RemoteCluster } from './remote-secrets.ts';
import type { WatchTiming } from './watch-collection.ts';

export interface RemoteWatchesOptions {
  istioNamespace?: string | undefined;
  /** The own cluster's name, which no other may have. */
  ownId: string;
  timing?: Partial<WatchTiming> | undefined;
  changed(): void;
  note: Note;
}

export interface RemoteWatches {
  /** From here on these are watched, and no others. Of two of one name the first counts. */
  follow(clusters: readonly RemoteCluster[]): void;
  /** What they have, or had last. */
  objects(): readonly SourceObject[];
  /** Resolves when each of those that are followed now has been read, or is known to take longer, at the latest after `ms`. */
  settled(ms: number): Promise<void>;
  close(): void;
}

interface Remote {
  readonly cluster: RemoteCluster;
  readonly watch: ClusterWatch;
  /** Of an earlier watch of the same cluster, until there is something newer. */
  last: readonly SourceObject[];
}

export function watchRemotes(options: RemoteWatchesOptions): RemoteWatches {
  const { changed, note, istioNamespace, timing, ownId } = options;
  const remotes = new Map<string, Remote>();
  const told = new Set<string>();

  function noteOnce(text: string): void {
    if (!told.has(text)) note(text);
    told.add(text);
  }

  const objectsOf = (remote: Remote): readonly SourceObject[] => {
    const { objects = [], problems } = remote.watch.read();
    if (problems.length === 0) remote.last = objects;
    return remote.last;
  };

  function start(cluster: RemoteCluster, last: readonly SourceObject[]): void {
    const { id, access } = cluster;
    const watch = watchCluster({ access, clusterId: id, remote: true, istioNamespace, timing, changed, note });
    remotes.set(id, { cluster, watch, last });
    void watch.ready.then(() => {
      if (remotes.get(id)?.watch === watch) changed();
    });
  }

  function accepted(clusters: readonly RemoteCluster[]): Map<string, RemoteCluster> {
    const wanted = new Map<string, RemoteCluster>();
    for (const cluster of clusters) {
      const { id, from } = cluster;
      const first = wanted.get(id);
      if (id === ownId) noteOnce(`${from} names this cluster itself (${id}); it is not read twice`);
      else if (first !== undefined) noteOnce(`the cluster ${id} of ${from} is left out: ${first.from} has that name already`);
      else wanted.set(id, cluster);
    }
    return wanted;
  }

  return {
    follow(clusters) {
      const wanted = accepted(clusters);
      for (const [id, { watch, cluster }] of remotes) {
        if (wanted.has(id)) continue;
        watch.close();
        remotes.delete(id);
        note(`the cluster ${id} is no longer read: ${cluster.from} does not name it any more`, 'info');
        changed();
      }
      for (const [id, cluster] of wanted) {
        const known = remotes.get(id);
        if (known?.cluster.version === cluster.version) continue;
        const last = known === undefined ? [] : objectsOf(known);
        known?.watch.close();
        note(`the cluster ${id} is read ${known === undefined ? 'too' : 'with new credentials'}: ${cluster.from} names it`, 'info');
        start(cluster, last);
      }
    },
    objects: () => [...remotes.values()].flatMap((remote) => objectsOf(remote)),
    async settled(ms) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ms);
      });
      await Promise.race([Promise.all([...remotes.values()].map(({ watch }) => watch.ready)), late]);
      clearTimeout(timer);
    },
    close() {
      for (const { watch } of remotes.values()) watch.close();
      remotes.clear();
    },
  };
}
