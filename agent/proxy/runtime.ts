/** The downstream half of one proxy: its listeners, what they accept, and how configuration reaches them while they run. */
import type { Socket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { Problem } from '../../src/errors.ts';
import type { ProblemList } from '../../src/routing/problems.ts';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';
import { compileRoutes } from './http/compile-routes.ts';
import type { RouteSlot } from './http/connection-manager.ts';
import { bindProblem } from './listener/bind-problem.ts';
import { type CompiledListener, compileListener } from './listener/compile-listener.ts';
import { RunningListener } from './listener/running-listener.ts';
import { REDIRECTED } from './listener/unsupported.ts';
import type { CommonTls } from './tls/common-context.ts';
import { createSecretStore, type SecretStore } from './tls/secret-store.ts';
import type { TracingNode } from './tracing/span.ts';
import type { ClusterManager, StatsRegistry } from './types.ts';

export interface ProxyRuntimeDeps {
  /** `<name>.<namespace>`: what records are signed with. */
  proxyId: string;
  /** Who spans are of. */
  node?: TracingNode;
  clusters: ClusterManager;
  stats: StatsRegistry;
  /** What TLS to clients takes certificates from; none by default. */
  secrets?: SecretStore;
  /** One finished request or connection. */
  record(record: RequestRecord): void;
  log(level: 'info' | 'warning' | 'error', message: string): void;
  /** Where a connection was headed before the kernel redirected it; without it nobody knows. */
  originalDestination?(socket: Socket): { address: string; port: number } | undefined;
}

/** Envoy's `/listeners?format=json` (Listeners of envoy.admin.v3, camelCase). */
export interface ListenersDump {
  listenerStatuses: { name: string; localAddress: { socketAddress: { address: string; portValue: number } } }[];
}

export interface ProxyRuntime {
  /**
   * Replaces the whole configuration, or, when anything is refused (an `error` among the problems), nothing of it. Unchanged listeners
   * are not touched; changed ones keep their socket and their connections; removed ones drain.
   */
  update(config: { listeners: readonly ListenerJson[]; routes: readonly RouteConfigurationJson[] }): Promise<Problem[]>;
  dumpListeners(): ListenersDump;
  /** TLS towards clients, of all filter chains that have any. */
  tlsContexts(): readonly CommonTls[];
  /** No new connections; resolves when no request is in flight, at the latest after `deadlineMs`. Idempotent. */
  drain(deadlineMs: number): Promise<void>;
  /** Everything ends at once. Idempotent. */
  close(): Promise<void>;
}

interface Slot extends RouteSlot {
  json: RouteConfigurationJson;
}

/** One problem for all listeners that redirected connections arrive at. */
function redirected(listeners: readonly CompiledListener[], { originalDestination }: ProxyRuntimeDeps): Problem[] {
  const [first] = listeners.filter((l) => l.binds && l.originalDestination);
  if (first === undefined || originalDestination !== undefined) return [];
  const message = `listener ${first.name}: connections would be redirected to it, and ${REDIRECTED.Listener.useOriginalDst}`;
  return [{ severity: 'error', rule: 'unsupported/interception', message, origin: `listener ${first.name}` }];
}

/** How often a drain looks whether the last request is over. */
const DRAIN_LOOK_MS = 20;

export function createProxyRuntime(deps: ProxyRuntimeDeps): ProxyRuntime {
  const { proxyId, clusters, stats, record, secrets = createSecretStore() } = deps;
  const { node = { id: proxyId, cluster: proxyId, zone: '' } } = deps;
  const running = new Map<string, RunningListener>();
  const retired = new Set<RunningListener>();
  let slots = new Map<string, Slot>();
  let compiled = new Map<string, CompiledListener>();

  /** By exact address, then by wildcard, as Envoy looks for use_original_dst. */
  function unbound(address: string, port: number): CompiledListener | undefined {
    const wildcard = address.includes(':') ? '::' : '0.0.0.0';
    let best: CompiledListener | undefined;
    for (const listener of compiled.values()) {
      if (listener.binds || listener.address.port !== port) continue;
      if (listener.address.ip === address) return listener;
      if (listener.address.ip === wildcard) best = listener;
    }
    return best;
  }

  const listenerDeps = { stats, proxyId, record, unbound, originalDestination: deps.originalDestination ?? (() => undefined) };

  async function update(config: { listeners: readonly ListenerJson[]; routes: readonly RouteConfigurationJson[] }): Promise<Problem[]> {
    const problems: Problem[] = [];
    const next = new Map<string, { slot: Slot; current: RouteSlot['current']; json: RouteConfigurationJson }>();
    for (const json of config.routes) {
      const name = json.name ?? '';
      const known = slots.get(name);
      if (known !== undefined && isDeepStrictEqual(known.json, json)) {
        next.set(name, { slot: known, current: known.current, json });
        continue;
      }
      const routes = compileRoutes(json, known && { json: known.json, value: known.current });
      problems.push(...routes.problems);
      if (routes.value !== undefined) next.set(name, { slot: known ?? { name, current: routes.value, json }, current: routes.value, json });
    }
    const resolve = (json: HttpConnectionManagerJson, path: string, list: ProblemList): RouteSlot | undefined => {
      if (json.routeConfig !== undefined) {
        const inline = compileRoutes(json.routeConfig);
        problems.push(...inline.problems);
        return inline.value === undefined ? undefined : { name: inline.value.name, current: inline.value };
      }
      const name = json.rds?.routeConfigName;
      const found = name === undefined ? undefined : next.get(name);
      if (found !== undefined) return found.slot;
      // When it was refused itself, that problem is enough.
      if (name === undefined || !config.routes.some((r) => r.name === name))
        list.invalid(`${path}.rds`, `there is no route configuration ${JSON.stringify(name)}`);
      return undefined;
    };
    const listeners = new Map<string, CompiledListener>();
    const addresses = new Map<string, string>();
    for (const json of config.listeners) {
      const before = compiled.get(json.name ?? '');
      const unchanged =
        before !== undefined && isDeepStrictEqual(before.json, json) && rdsNames(before.json).every((name) => next.has(name));
      const result = unchanged
        ? { listener: before, problems: [] }
        : compileListener(json, { proxyId, node, clusters, stats, secrets, record, routes: resolve });
      problems.push(...result.problems);
      const { listener } = result;
      if (listener === undefined) continue;
      const other = listener.binds ? addresses.get(keyOf(listener)) : undefined;
      if (listeners.has(listener.name) || other !== undefined)
        problems.push({
          severity: 'error',
          rule: 'envoy/invalid',
          message: `listener ${listener.name}: ${other === undefined ? 'its name' : `the address ${listener.address.text}`} is taken by another listener${other === undefined ? '' : ` (${other})`}`,
          origin: `listener ${listener.name}`,
        });
      listeners.set(listener.name, listener);
      if (listener.binds) addresses.set(keyOf(listener), listener.name);
    }
    problems.push(...redirected([...listeners.values()], deps));
    if (problems.some((p) => p.severity === 'error')) return problems;

    const opened = await open([...listeners.values()], problems);
    if (opened === undefined) return problems;
    // From here on nothing can fail: the new configuration is the one that runs.
    for (const { slot, current, json } of next.values()) {
      slot.current = current;
      slot.json = json;
    }
    slots = new Map([...next].map(([name, { slot }]) => [name, slot]));
    compiled = listeners;
    commit(opened);
    return problems;
  }

  /** Binds what is not bound yet; all of it or nothing. */
  async function open(listeners: readonly CompiledListener[], problems: Problem[]): Promise<Map<string, RunningListener> | undefined> {
    const opened = new Map<string, RunningListener>();
    for (const listener of listeners) {
      const key = keyOf(listener);
      if (!listener.binds || running.has(key)) continue;
      const fresh = new RunningListener(listener, listenerDeps);
      try {
        await fresh.listen();
        opened.set(key, fresh);
      } catch (error) {
        problems.push(bindProblem(listener, error as NodeJS.ErrnoException));
      }
    }
    if (!problems.some((p) => p.severity === 'error')) return opened;
    await Promise.all([...opened.values()].map((listener) => listener.close()));
    return undefined;
  }

  function commit(opened: ReadonlyMap<string, RunningListener>): void {
    const byKey = new Map([...compiled.values()].filter((l) => l.binds).map((l) => [keyOf(l), l]));
    for (const [key, listener] of running) {
      const wanted = byKey.get(key);
      if (wanted === undefined) {
        running.delete(key);
        retired.add(listener);
        listener.drain(() => retired.delete(listener));
        deps.log('info', `listener ${listener.compiled.name} drains`);
      } else if (wanted !== listener.compiled) listener.swap(wanted);
    }
    for (const [key, listener] of opened) {
      running.set(key, listener);
      deps.log('info', `listener ${listener.compiled.name} on ${listener.compiled.address.text}`);
    }
    stats.gauge('listener_manager.total_listeners_active').set(running.size);
  }

  const everyone = (): RunningListener[] => [...running.values(), ...retired];

  return {
    update,
    tlsContexts: () => [...compiled.values()].flatMap((listener) => listener.tlsContexts),
    dumpListeners: () => ({
      listenerStatuses: [...running.values()].map((listener) => ({
        name: listener.compiled.name,
        localAddress: {
          socketAddress: { address: listener.compiled.address.ip || listener.compiled.address.text, portValue: listener.port },
        },
      })),
    }),
    async drain(deadlineMs) {
      const end = performance.now() + deadlineMs;
      for (const listener of running.values()) listener.drain();
      while (everyone().some((listener) => listener.active > 0) && performance.now() < end)
        await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
    },
    async close() {
      const all = everyone();
      running.clear();
      retired.clear();
      await Promise.all(all.map((listener) => listener.close()));
    },
  };
}

/** Port 0 is a port of its own for each listener. */
function keyOf({ address, name }: CompiledListener): string {
  return address.port === 0 && address.ip !== '' ? `${address.text} ${name}` : address.text;
}

function rdsNames(json: ListenerJson): string[] {
  const chains = [...(json.filterChains ?? []), ...(json.defaultFilterChain === undefined ? [] : [json.defaultFilterChain])];
  return chains.flatMap((chain) =>
    (chain.filters ?? []).flatMap((filter) => (filter.typedConfig as HttpConnectionManagerJson | undefined)?.rds?.routeConfigName ?? []),
  );
}
