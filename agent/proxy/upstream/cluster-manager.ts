import { isDeepStrictEqual } from 'node:util';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import { createSecretStore, type SecretStore } from '../tls/secret-store.ts';
import type { ClusterManager, StatsRegistry } from '../types.ts';
import { UpstreamCluster } from './cluster.ts';
import { createClusterStats } from './cluster-stats.ts';
import { createSystemResolver, type Resolver } from './discovery/resolver.ts';
import { type ClustersDump, dumpClusters } from './dump.ts';

export interface ClusterManagerDeps {
  stats: StatsRegistry;
  log(level: 'info' | 'warning' | 'error', message: string): void;
  /** What TLS to the hosts takes certificates from; none by default. */
  secrets?: SecretStore;
  /** Names to addresses; the system's by default. */
  resolver?: Resolver;
  /** Milliseconds, never going back; performance.now() by default. */
  now?(): number;
  /** In [0, 1); Math.random by default. */
  random?(): number;
}

/** So many are made at once when they are configured. */
const AT_ONCE = 256;
/** The others in slices, with pauses in between in which traffic has its turn. */
const SLICE_MS = 4;
const PAUSE_MS = 4;

/**
 * Owns the clusters of one proxy. Configurations are taken to have passed `checkCluster`; what that refuses must not come here.
 */
export function createClusterManager(deps: ClusterManagerDeps): ClusterManager & { dump(): ClustersDump } {
  const { stats, log, secrets = createSecretStore(), now = () => performance.now(), random = Math.random } = deps;
  const resolver = deps.resolver ?? createSystemResolver();
  const clusters = new Map<string, UpstreamCluster>();
  /** Configured, and made when there is time or when they are used first. */
  const deferred = new Map<string, ClusterJson>();
  /** What was taken the last time: the same lists need no second look. */
  let taken: { configs?: readonly ClusterJson[]; endpoints?: readonly ClusterLoadAssignmentJson[] } = {};
  let making: NodeJS.Timeout | undefined;
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
    const cluster = new UpstreamCluster(config, { stats: clusterStats, resolver, secrets, now, random, log });
    if (config.type === 'EDS') cluster.assign(assignments.get(cluster.assignmentName));
    clusters.set(cluster.name, cluster);
  }

  /** Hosts of these are there as soon as they are made. */
  function canWait({ type, clusterType }: ClusterJson): boolean {
    return clusterType === undefined && (type === 'EDS' || type === 'STATIC');
  }

  function get(name: string): UpstreamCluster | undefined {
    const config = deferred.get(name);
    if (config !== undefined) {
      deferred.delete(name);
      add(config);
    }
    return clusters.get(name);
  }

  function makeAll(): void {
    for (const name of [...deferred.keys()]) get(name);
  }

  /** A large mesh has tens of thousands of clusters, most of which nobody ever calls: they must not hold up traffic, nor the first request. */
  function makeInTime(): void {
    if (deferred.size <= AT_ONCE) {
      makeAll();
      return;
    }
    making ??= setTimeout(() => {
      making = undefined;
      const started = performance.now();
      for (const name of deferred.keys()) {
        get(name);
        if (performance.now() - started > SLICE_MS) break;
      }
      if (deferred.size > 0) makeInTime();
    }, PAUSE_MS);
    making.unref();
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

  function takeAll(endpoints: readonly ClusterLoadAssignmentJson[]): void {
    const before = taken.endpoints;
    if (before?.length === endpoints.length && endpoints.every((e, i) => e.clusterName === before[i]!.clusterName)) {
      reassign(take(endpoints.filter((e, i) => e !== before[i])));
      return;
    }
    const named = new Set(endpoints.map((e) => e.clusterName ?? ''));
    const gone = [...assignments.keys()].filter((name) => !named.has(name));
    for (const name of gone) assignments.delete(name);
    reassign(new Set([...take(endpoints), ...gone]));
  }

  function configure(configs: readonly ClusterJson[]): void {
    const wanted = new Map(configs.map((c) => [c.name ?? '', c]));
    for (const [name, config] of wanted) {
      const known = clusters.get(name);
      const waiting = deferred.get(name);
      if (known === undefined && waiting === undefined) counts.added.inc();
      else if (isDeepStrictEqual(known?.config ?? waiting, config)) continue;
      else counts.modified.inc();
      if (known !== undefined) {
        retire(known);
        clusters.delete(name);
      }
      deferred.set(name, config);
      if (!canWait(config)) get(name);
    }
    const gone = [...clusters.values()].filter(({ name }) => !wanted.has(name));
    for (const name of [...deferred.keys()]) {
      if (wanted.has(name)) continue;
      deferred.delete(name);
      counts.removed.inc();
    }
    const prefixes = gone.length === 0 ? undefined : new Set(configs.map(statPrefix));
    for (const cluster of gone) {
      clusters.delete(cluster.name);
      retire(cluster);
      counts.removed.inc();
      // Clusters may share their stats, as Istio's two pass-through ones do.
      if (!prefixes!.has(statPrefix(cluster.config))) stats.remove(`cluster.${statPrefix(cluster.config)}`);
    }
    active.set(wanted.size);
    makeInTime();
  }

  return {
    get,

    update(configs, endpoints) {
      if (endpoints !== taken.endpoints) takeAll(endpoints);
      if (configs !== taken.configs) configure(configs);
      taken = { configs, endpoints };
    },

    tlsContexts() {
      makeAll();
      return [...clusters.values()].flatMap((c) => (c.transports?.all ?? []).flatMap(({ tls }) => tls?.common ?? []));
    },

    dump() {
      makeAll();
      return dumpClusters(clusters.values());
    },

    async close() {
      clearTimeout(making);
      deferred.clear();
      taken = {};
      for (const cluster of [...clusters.values(), ...leaving]) cluster.close();
      clusters.clear();
      leaving.clear();
    },
  };
}
