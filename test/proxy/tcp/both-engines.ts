/** Listeners that end in tcp_proxy, on the embedded proxy and on the real Envoy, and clients that say what became of them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { AnyJson } from '@bufbuild/protobuf/wkt';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { createProxyRuntime } from '../../../agent/proxy/runtime.ts';
import { createStatsRegistry } from '../../../agent/proxy/stats/registry.ts';
import { createSecretStore } from '../../../agent/proxy/tls/secret-store.ts';
import { createClusterManager } from '../../../agent/proxy/upstream/cluster-manager.ts';
import { realEnvoy } from '../../support/envoy.ts';
import { until } from '../../support/http.ts';
import { listen, startEnvoyProcess } from '../filters/both-engines.ts';
import type { Issued } from '../tls/pki.ts';

const FILE_LOG = 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog';
const NETWORK = 'type.googleapis.com/envoy.extensions.filters.network';

/** A server that speaks first, then repeats what it hears, and ends when the client has ended. */
export interface Backend {
  readonly port: number;
  connections: number;
  heard: string;
  close(): void;
}

export async function startBackend(greeting = ''): Promise<Backend> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    backend.connections++;
    if (greeting !== '') socket.write(greeting);
    socket.on('data', (data) => {
      backend.heard += data.toString('latin1');
      socket.write(data);
    });
    socket.on('end', () => socket.end('.'));
    socket.on('error', () => undefined);
  });
  const backend: Backend = {
    port: Number((await listen(server)).split(':')[1]),
    connections: 0,
    heard: '',
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return backend;
}

/** What stands in front of tcp_proxy, and more of the listener's chain. */
export interface TcpCase {
  filters: readonly object[];
  chain?: object;
  listener?: Partial<ListenerJson>;
}

export interface TcpSetup {
  cases: Readonly<Record<string, TcpCase>>;
  clusters: readonly ClusterJson[];
  secrets?: readonly SecretJson[];
}

export interface TcpEngine {
  readonly name: 'embedded' | 'envoy';
  port(of: string): number;
  stat(name: string): Promise<number>;
  /** The next line of a listener's access log. */
  log(of: string): Promise<Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

function listeners({ cases }: TcpSetup, folder: string): ListenerJson[] {
  return Object.entries(cases).map(([name, { filters, chain, listener }]) => {
    const logFormat = {
      jsonFormat: {
        flags: '%RESPONSE_FLAGS%',
        details: '%RESPONSE_CODE_DETAILS%',
        termination: '%CONNECTION_TERMINATION_DETAILS%',
        rbac: '%DYNAMIC_METADATA(envoy.filters.network.rbac)%',
        authz: '%DYNAMIC_METADATA(envoy.filters.network.ext_authz)%',
        common: '%DYNAMIC_METADATA(envoy.common)%',
      },
    };
    const accessLog = [{ name: 'file', typedConfig: { '@type': FILE_LOG, path: join(folder, `${name}.log`), logFormat } as AnyJson }];
    const proxy = { '@type': `${NETWORK}.tcp_proxy.v3.TcpProxy`, statPrefix: name, cluster: 'backend', accessLog };
    return {
      name,
      address: { socketAddress: { address: '127.0.0.1', portValue: 0 } },
      filterChains: [{ filters: [...filters, { name: 'tcp', typedConfig: proxy }], ...chain }],
      ...listener,
    } as ListenerJson;
  });
}

function logReader(folder: string): TcpEngine['log'] {
  const read = new Map<string, number>();
  return async (of) => {
    const at = read.get(of) ?? 0;
    let lines: string[] = [];
    await until(`line ${at + 1} of ${of}'s log`, () => {
      try {
        lines = readFileSync(join(folder, `${of}.log`), 'utf8')
          .split('\n')
          .slice(0, -1);
      } catch {
        return false;
      }
      return lines.length > at;
    });
    read.set(of, at + 1);
    return JSON.parse(lines[at]!) as Record<string, unknown>;
  };
}

export async function startEmbedded(setup: TcpSetup): Promise<TcpEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-tcp-'));
  const stats = createStatsRegistry();
  const secrets = createSecretStore();
  secrets.set([...(setup.secrets ?? [])]);
  const clusters = createClusterManager({ stats, secrets, log() {} });
  clusters.update([...setup.clusters], []);
  const runtime = createProxyRuntime({ proxyId: 'p.ns', clusters, stats, secrets, record() {}, log() {} });
  const problems = await runtime.update({ listeners: listeners(setup, folder), routes: [] });
  if (problems.length > 0) throw new Error(problems.map((p) => p.message).join('; '));
  const ports = new Map(
    runtime.dumpListeners().listenerStatuses.map(({ name, localAddress }) => [name, localAddress.socketAddress.portValue]),
  );
  return {
    name: 'embedded',
    port: (of) => ports.get(of)!,
    stat: async (name) => stats.counter(name).value,
    log: logReader(folder),
    async close() {
      await runtime.close();
      await clusters.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Undefined where there is no Envoy. */
export async function startEnvoy(setup: TcpSetup): Promise<TcpEngine | undefined> {
  const envoy = realEnvoy();
  if ('missing' in envoy) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-tcp-'));
  const { clusters, secrets } = setup;
  const process_ = await startEnvoyProcess(envoy.path, folder, {
    staticResources: { listeners: listeners(setup, folder), clusters, secrets },
  });
  const { listener_statuses: found } = (await process_.admin('/listeners?format=json')) as {
    listener_statuses: { name: string; local_address: { socket_address: { port_value: number } } }[];
  };
  const ports = new Map(found.map(({ name, local_address }) => [name, local_address.socket_address.port_value]));
  return {
    name: 'envoy',
    port: (of) => ports.get(of)!,
    async stat(name) {
      const { stats } = (await process_.admin(`/stats?format=json&filter=^${name.replaceAll('.', '\\.')}$`)) as {
        stats: { name?: string; value?: number }[];
      };
      return stats.find((s) => s.name === name)?.value ?? 0;
    },
    log: logReader(folder),
    async close() {
      await process_.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** How a client comes; `tls` with a certificate or without (`{}`). */
export interface TcpClient {
  tls?: { ca: string; show?: Issued; servername?: string };
  /**
   * By default the client says hello and ends when that has come back; it may end at once, too, wait for the server's greeting, or end
   * without a word. (Envoy's listener filters close connections whose end comes with the first bytes.)
   */
  speaks?: 'and ends' | 'after the greeting' | 'never';
  /** Bytes that go before everything else: the PROXY protocol. */
  before?: string;
}

/** All that came back by the end of a connection. */
export function talk(port: number, { tls, speaks, before }: TcpClient = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = '';
    const speak = (): void => {
      if (speaks === 'never') socket.end();
      else if (speaks === 'and ends') socket.end('hello');
      else socket.write('hello');
    };
    const ready = (): void => {
      if (before !== undefined) socket.write(before);
      if (speaks !== 'after the greeting') speak();
    };
    const socket: Socket =
      tls === undefined
        ? connect({ port, host: '127.0.0.1', allowHalfOpen: true }, ready)
        : connectTls(
            {
              port,
              host: '127.0.0.1',
              allowHalfOpen: true,
              rejectUnauthorized: false,
              ca: tls.ca,
              ...(tls.show && { cert: tls.show.cert, key: tls.show.key }),
              ...(tls.servername && { servername: tls.servername }),
            } as never,
            ready,
          );
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end within 10 s; ${JSON.stringify(got)} came`));
    }, 10_000);
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(got);
    };
    socket.on('data', (data) => {
      if (got === '' && speaks === 'after the greeting') speak();
      got += data.toString('latin1');
      if (got.endsWith('hello') && !socket.writableEnded) socket.end();
    });
    // A refused client may find its connection reset.
    socket.on('error', finish);
    socket.on('end', finish);
    socket.on('close', finish);
  });
}
