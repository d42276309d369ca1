import { isDeepStrictEqual } from 'node:util';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { ClusterManager, StatsRegistry } from '../types.ts';
import { UpstreamCluster } from './cluster.ts';
import { createClusterStats } from './cluster-stats.ts';
import { createSystemResolver, type Resolver } from './discovery/resolver.ts';
import { type ClustersDump, dumpClusters } from './dump.ts';

export interface ClusterManagerDeps {
  stats: StatsRegistry;
  log(level: 'info' | 'warning' | 'error', message: string): void;
  /** Names to addresses; the system's by default. */
  resolver?: Resolver;
  /** Milliseconds, never going back; performance.now() by default. */
  now?(): number;
  /** In [0, 1); Math.random by default. */
  random?(): number;
}

/**
 * Owns the clusters of one proxy. Configurations are taken to have passed `checkCluster`; what that refuses must not come here.
 */
export function createClusterManager(deps: ClusterManagerDeps): ClusterManager & { dump(): ClustersDump } {
  const { stats, log, now = () => performance.now(), random = Math.random } = deps;
  const resolver = deps.resolver ?? createSystemResolver();
  const clusters = new Map<string, UpstreamCluster>();
  /** Replaced or removed ones whose connections may still be open. */
  const leaving = new Set<UpstreamCluster>();
  const assignments = new Map<string, ClusterLoadAssignmentJson>();
  const active = stats.gauge('cluster_manager.active_clusters');
  const counts = {
    added: stats.counter('cluster_manager.cluster_added'),
    modified: stats.counter('cluster_manager.cluster_modified'),
    removed: stats.counter('cluster_manager.cluster_removed'),
  };

  const statPrefix = (config: ClusterJson): string => (config.altStatName || config.name || '').replaceAll(':', '_');

  function add(config: ClusterJson): void {
    const clusterStats = createClusterStats(stats, statPrefix(config));
    const cluster = new UpstreamCluster(config, { stats: clusterStats, resolver, now, random, log });
    if (config.type === 'EDS') cluster.assign(assignments.get(cluster.assignmentName));
    clusters.set(cluster.name, cluster);
  }

  function retire(cluster: UpstreamCluster): void {
    cluster.drain();
    leaving.add(cluster);
    for (const old of leaving) if ([...old.hosts].every((h) => h.stats.cxActive === 0)) leaving.delete(old);
  }

  function take(endpoints: readonly ClusterLoadAssignmentJson[]): Set<string> {
    const changed = new Set<string>();
    for (const assignment of endpoints) {
      const name = assignment.clusterName ?? '';
      if (isDeepStrictEqual(assignments.get(name), assignment)) continue;
      assignments.set(name, assignment);
      changed.add(name);
    }
    return changed;
  }

  function reassign(names: ReadonlySet<string>): void {
    if (names.size === 0) return;
    for (const cluster of clusters.values()) {
      if (cluster.config.type === 'EDS' && names.has(cluster.assignmentName)) cluster.assign(assignments.get(cluster.assignmentName));
    }
  }

  return {
    get: (name) => clusters.get(name),

    update(configs, endpoints) {
      const named = new Set(endpoints.map((e) => e.clusterName ?? ''));
      const gone = new Set([...assignments.keys()].filter((name) => !named.has(name)));
      for (const name of gone) assignments.delete(name);
      reassign(new Set([...take(endpoints), ...gone]));
      const wanted = new Map(configs.map((c) => [c.name ?? '', c]));
      for (const [name, config] of wanted) {
        const known = clusters.get(name);
        if (known === undefined) {
          add(config);
          counts.added.inc();
        } else if (!isDeepStrictEqual(known.config, config)) {
          retire(known);
          add(config);
          counts.modified.inc();
        }
      }
      const prefixes = new Set(configs.map(statPrefix));
      for (const [name, cluster] of clusters) {
        if (wanted.has(name)) continue;
        clusters.delete(name);
        retire(cluster);
        counts.removed.inc();
        // Clusters may share their stats, as Istio's two pass-through ones do.
        if (!prefixes.has(statPrefix(cluster.config))) stats.remove(`cluster.${statPrefix(cluster.config)}`);
      }
      active.set(clusters.size);
    },

    updateEndpoints(endpoints) {
      reassign(take(endpoints));
    },

    dump: () => dumpClusters(clusters.values()),

    async close() {
      for (const cluster of [...clusters.values(), ...leaving]) cluster.close();
      clusters.clear();
      leaving.clear();
    },
  };
}
