/** All proxies of the node, in one process. Each has its own clusters, stats, listeners; none can see another's. */
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { Problem } from '../../src/errors.ts';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';
import { changedConfig } from './config-changes.ts';
import type { AppliedConfig, ConfigChanges, ProxyConfig } from './protocol.ts';
import { createProxyRuntime, type ProxyRuntime } from './runtime.ts';
import { createStatsRegistry } from './stats/registry.ts';
import { createSecretStore, type SecretStore } from './tls/secret-store.ts';
import type { ClusterManager, StatsRegistry } from './types.ts';
import { checkCluster } from './upstream/check-cluster.ts';
import { createClusterManager } from './upstream/cluster-manager.ts';

export interface HostedProxy {
  readonly id: string;
  readonly name: string;
  readonly clusters: ClusterManager;
  readonly stats: StatsRegistry;
  readonly runtime: ProxyRuntime;
  readonly secrets: SecretStore;
  config: AppliedConfig;
  /** `/healthcheck/fail` was asked for. */
  failing: boolean;
}

export interface ProxyHost {
  get(id: string): HostedProxy | undefined;
  all(): readonly HostedProxy[];
  /** Empty when it was applied; else nothing changed and the last good config runs on. */
  apply(id: string, config: ProxyConfig): Promise<Problem[]>;
  /** As `apply`, told by what changes. undefined: it is not the config before these changes that runs. */
  change(id: string, changes: ConfigChanges): Promise<Problem[] | undefined>;
  /** Takes all secrets of a proxy, also before its first config. Those that cannot be read are told, and change nothing. */
  setSecrets(id: string, secrets: readonly SecretJson[]): Promise<Problem[]>;
  remove(id: string): Promise<void>;
  /** Resolves when no request is in flight, or after `deadlineMs`. Idempotent. */
  drain(deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface HostEvents {
  record(record: RequestRecord): void;
  log(level: 'info' | 'warning' | 'error', message: string): void;
}

export function createProxyHost(events: HostEvents): ProxyHost {
  const proxies = new Map<string, HostedProxy>();
  /** Kept from before the first config of a proxy to its removal. */
  const stores = new Map<string, SecretStore>();
  /** One change at a time for each proxy: two updates must not interleave. */
  const queues = new Map<string, Promise<unknown>>();

  function inOrder<T>(id: string, work: () => Promise<T>): Promise<T> {
    const next = (queues.get(id) ?? Promise.resolve()).then(work, work);
    queues.set(
      id,
      next.catch(() => undefined),
    );
    return next;
  }

  function storeOf(id: string): SecretStore {
    let store = stores.get(id);
    if (store === undefined) {
      store = createSecretStore();
      stores.set(id, store);
    }
    return store;
  }

  function create(id: string, config: ProxyConfig): HostedProxy {
    const secrets = storeOf(id);
    const stats = createStatsRegistry();
    const log = events.log;
    const clusters = createClusterManager({ stats, log, secrets });
    const runtime = createProxyRuntime({
      proxyId: config.name,
      node: config.node ?? { id, cluster: config.name, zone: '' },
      clusters,
      stats,
      secrets,
      record: events.record,
      log,
    });
    return {
      id,
      name: config.name,
      clusters,
      stats,
      runtime,
      secrets,
      config: { ...EMPTY, name: config.name, updatedAt: 0 },
      failing: false,
    };
  }

  async function apply(id: string, config: ProxyConfig): Promise<Problem[]> {
    const known = proxies.get(id);
    const refused = added(config.clusters, known?.config.clusters ?? [])
      .flatMap((c) => checkCluster(c))
      .filter((p) => p.severity === 'error');
    if (refused.length > 0) return refused;
    const proxy = known ?? create(id, config);
    // Make before break: routes must never name a cluster that is not there yet.
    proxy.clusters.update(config.clusters, config.endpoints);
    const update = proxy.runtime.update({ listeners: config.listeners, routes: config.routes }).catch((error: Error): Problem[] => {
      events.log('error', `the config of ${config.name} could not be applied: ${error.stack}`);
      return [{ severity: 'error', rule: 'proxy/failed', message: `the proxy failed on this config: ${error.message}` }];
    });
    const problems = (await update).filter((p) => p.severity === 'error');
    if (problems.length > 0) {
      if (known) proxy.clusters.update(known.config.clusters, known.config.endpoints);
      else await Promise.all([proxy.runtime.close(), proxy.clusters.close()]);
      return problems;
    }
    proxy.config = { ...config, updatedAt: Date.now() };
    proxies.set(id, proxy);
    return [];
  }

  async function remove(id: string): Promise<void> {
    const proxy = proxies.get(id);
    proxies.delete(id);
    stores.delete(id);
    await proxy?.runtime.close();
    await proxy?.clusters.close();
  }

  return {
    get: (id) => proxies.get(id),
    all: () => [...proxies.values()],
    apply: (id, config) => inOrder(id, () => apply(id, config)),
    change: (id, changes) =>
      inOrder(id, async () => {
        const proxy = proxies.get(id);
        return proxy?.config.version === changes.from ? apply(id, changedConfig(proxy.config, changes)) : undefined;
      }),
    setSecrets: (id, secrets) => inOrder(id, async () => storeOf(id).set(secrets)),
    remove: (id) => inOrder(id, () => remove(id)),
    async drain(deadlineMs) {
      await Promise.all([...proxies.values()].map((p) => p.runtime.drain(deadlineMs)));
    },
    async close() {
      stores.clear();
      await Promise.all([...proxies.keys()].map((id) => inOrder(id, () => remove(id))));
    },
  };
}

/** What is not in `before`. */
function added<T>(list: readonly T[], before: readonly T[]): readonly T[] {
  if (list === before) return [];
  const known = new Set(before);
  return list.filter((one) => !known.has(one));
}

const EMPTY: Omit<AppliedConfig, 'name' | 'updatedAt'> = { version: '', listeners: [], routes: [], clusters: [], endpoints: [] };
