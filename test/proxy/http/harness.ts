/** One proxy in this process, with backends, and raw bytes to it. */
import { connect, type Socket } from 'node:net';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { RouteJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { createProxyRuntime, type ProxyRuntime } from '../../../agent/proxy/runtime.ts';
import { createStatsRegistry } from '../../../agent/proxy/stats/registry.ts';
import type { StatsRegistry } from '../../../agent/proxy/types.ts';
import { createClusterManager } from '../../../agent/proxy/upstream/cluster-manager.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import { clusterJson, type TestCluster } from './cluster-json.ts';

const HTTP = 'type.googleapis.com/envoy.extensions.filters.http';

export interface Harness {
  readonly port: number;
  readonly runtime: ProxyRuntime;
  readonly records: RequestRecord[];
  readonly stats: StatsRegistry;
  /** The last record, once there are `count` of them. */
  record(count?: number): Promise<RequestRecord>;
  close(): Promise<void>;
}

export interface HarnessOptions {
  clusters?: TestCluster[];
  routes?: RouteJson[];
  virtualHost?: Partial<NonNullable<RouteConfigurationJson['virtualHosts']>[number]>;
  manager?: Partial<HttpConnectionManagerJson>;
  listener?: Partial<ListenerJson>;
  faultFilter?: object;
}

export function listenerJson(options: HarnessOptions, name = 'test', port = 0): ListenerJson {
  return {
    name,
    address: { socketAddress: { address: '127.0.0.1', portValue: port } },
    filterChains: [
      {
        filters: [
          {
            name: 'hcm',
            typedConfig: {
              '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
              statPrefix: 'test',
              rds: { routeConfigName: 'routes', configSource: { ads: {} } },
              httpFilters: [
                { name: 'envoy.filters.http.grpc_stats', typedConfig: { '@type': `${HTTP}.grpc_stats.v3.FilterConfig` } },
                { name: 'envoy.filters.http.fault', typedConfig: { '@type': `${HTTP}.fault.v3.HTTPFault`, ...options.faultFilter } },
                { name: 'envoy.filters.http.cors', typedConfig: { '@type': `${HTTP}.cors.v3.Cors` } },
                { name: 'envoy.filters.http.router', typedConfig: { '@type': `${HTTP}.router.v3.Router` } },
              ],
              streamIdleTimeout: '0s',
              normalizePath: true,
              ...options.manager,
            },
          },
        ],
      },
    ],
    ...options.listener,
  } as ListenerJson;
}

export function routesJson(options: HarnessOptions, name = 'routes'): RouteConfigurationJson {
  return {
    name,
    virtualHosts: [
      {
        name: 'all',
        domains: ['*'],
        routes: options.routes ?? [{ match: { prefix: '/' }, route: { cluster: 'backend' } }],
        ...options.virtualHost,
      },
    ],
  };
}

export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const records: RequestRecord[] = [];
  const stats = createStatsRegistry();
  const clusters = createClusterManager({ stats, log() {} });
  clusters.update((options.clusters ?? []).map(clusterJson), []);
  const runtime = createProxyRuntime({ proxyId: 'test.default', clusters, stats, record: (r) => records.push(r), log() {} });
  const problems = await runtime.update({ listeners: [listenerJson(options)], routes: [routesJson(options)] });
  if (problems.length > 0) throw new Error(problems.map((p) => p.message).join('; '));
  return {
    port: runtime.dumpListeners().listenerStatuses[0]!.localAddress.socketAddress.portValue,
    runtime,
    records,
    stats,
    async record(count = 1) {
      await until('a record', () => records.length >= count);
      return records.at(-1)!;
    },
    async close() {
      await runtime.close();
      await clusters.close();
    },
  };
}

export async function until(what: string, condition: () => boolean, deadlineMs = 5000): Promise<void> {
  for (const end = Date.now() + deadlineMs; !condition(); ) {
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Sends bytes, and gives what came back by the time the proxy closed, or `enough` of it was there. */
export function raw(
  port: number,
  bytes: string | Buffer,
  enough?: (text: string) => boolean,
  onSocket?: (socket: Socket) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1' as never));
    let text = '';
    const timer = setTimeout(() => finish(new Error(`no end of the answer within 5 s: ${JSON.stringify(text)}`)), 5000);
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      if (error) reject(error);
      else resolve(text);
    };
    onSocket?.(socket);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (enough?.(text)) finish();
    });
    socket.on('error', () => finish());
    socket.on('close', () => finish());
    socket.on('end', () => finish());
  });
}
