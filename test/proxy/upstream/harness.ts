/** A cluster manager under test, and requests through it whose whole story is told. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Worker } from 'node:worker_threads';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { LbEndpointJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_components_pb.js';
import { createStatsRegistry } from '../../../agent/proxy/stats/registry.ts';
import type {
  Cluster,
  ClusterManager,
  Host,
  LoadBalancerContext,
  RawHeaders,
  ResetReason,
  StatsRegistry,
  UpstreamRequest,
  UpstreamStream,
} from '../../../agent/proxy/types.ts';
import { type ClusterManagerDeps, createClusterManager } from '../../../agent/proxy/upstream/cluster-manager.ts';

export interface Bench {
  clusters: ClusterManager;
  stats: StatsRegistry;
  logged: string[];
  /** The cluster `c`. */
  cluster: Cluster;
  counter(name: string): number;
  gauge(name: string): number;
}

/** An endpoint at 127.0.0.1, or at another address. */
export function endpoint(port: number, more: LbEndpointJson = {}, address = '127.0.0.1'): LbEndpointJson {
  return { endpoint: { address: { socketAddress: { address, portValue: port } } }, ...more };
}

/** A static cluster `c` with these endpoints. */
export function staticCluster(endpoints: LbEndpointJson[], more: ClusterJson = {}): ClusterJson {
  return {
    name: 'c',
    type: 'STATIC',
    connectTimeout: '5s',
    loadAssignment: { clusterName: 'c', endpoints: [{ lbEndpoints: endpoints }] },
    ...more,
  };
}

export function startBench(config: ClusterJson, deps: Partial<ClusterManagerDeps> = {}): Bench {
  const stats = createStatsRegistry();
  const logged: string[] = [];
  const clusters = createClusterManager({ stats, log: (_level, message) => logged.push(message), ...deps });
  clusters.update([config], []);
  const prefix = `cluster.${config.altStatName ?? config.name}.`;
  return {
    clusters,
    stats,
    logged,
    get cluster() {
      return clusters.get(config.name!)!;
    },
    counter: (name) => stats.counter(prefix + name).value,
    gauge: (name) => stats.gauge(prefix + name).value,
  };
}

/** How a request ended, and what came before. */
export interface Story {
  events: string[];
  status: number;
  headers: RawHeaders;
  trailers: RawHeaders;
  body: string;
  reset: ResetReason | undefined;
  socket: Duplex | undefined;
  host: Host | undefined;
}

export interface Call {
  stream: UpstreamStream;
  story: Story;
  /** Resolves at the end, the reset or the upgrade. */
  done: Promise<Story>;
  /** Resolves when the response's headers came, or it ended before. */
  answered: Promise<Story>;
}

export interface CallOptions extends Partial<UpstreamRequest> {
  host?: Host;
  context?: LoadBalancerContext;
  /** Told when the stream takes more body. */
  onDrain?(): void;
  /** False stops reading after each chunk until `resume`. */
  reads?(chunk: Buffer): boolean;
}

/** Sends a request to a host that the cluster chooses. */
export function send(cluster: Cluster, options: CallOptions = {}): Call {
  const {
    host = cluster.chooseHost(options.context ?? {}),
    context: _context,
    reads = () => true,
    onDrain = () => {},
    ...request
  } = options;
  if (host === undefined) throw new Error('no host');
  const story: Story = { events: [], status: 0, headers: [], trailers: [], body: '', reset: undefined, socket: undefined, host };
  let finish: (story: Story) => void = () => {};
  let answer: (story: Story) => void = () => {};
  const done = new Promise<Story>((resolve) => {
    finish = resolve;
  });
  const answered = new Promise<Story>((resolve) => {
    answer = resolve;
  });
  const chunks: Buffer[] = [];
  const over = (event: string): void => {
    story.events.push(event);
    story.body = Buffer.concat(chunks).toString('utf8');
    answer(story);
    finish(story);
  };
  const stream = cluster.request(
    host,
    {
      method: 'GET',
      path: '/',
      headers: ['host', 'service.test'],
      endStream: true,
      downstreamProtocol: 'HTTP/1.1',
      ...request,
    },
    {
      onConnected: () => story.events.push('connected'),
      onInformational: (status) => story.events.push(`informational ${status}`),
      onHeaders(status, headers) {
        story.events.push('headers');
        story.status = status;
        story.headers = headers;
        answer(story);
      },
      onData(chunk) {
        chunks.push(chunk);
        return reads(chunk);
      },
      onTrailers(trailers) {
        story.events.push('trailers');
        story.trailers = trailers;
      },
      onEnd: () => over('end'),
      onUpgrade(status, headers, socket) {
        story.status = status;
        story.headers = headers;
        story.socket = socket;
        over('upgrade');
      },
      onReset(reason) {
        story.reset = reason;
        over('reset');
      },
      onDrain,
    },
  );
  return { stream, story, done, answered };
}

/** A server on a raw socket: `serve` gets every connection. */
export interface RawServer {
  port: number;
  /** Connections that were ever accepted. */
  connections: number;
  sockets: Set<Socket>;
  close(): Promise<void>;
}

export async function rawServer(serve: (socket: Socket, index: number) => void): Promise<RawServer> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    raw.connections++;
    raw.sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => raw.sockets.delete(socket));
    serve(socket, raw.connections - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const raw: RawServer = {
    port: (server.address() as AddressInfo).port,
    connections: 0,
    sockets: new Set(),
    close: () =>
      new Promise((resolve) => {
        for (const socket of raw.sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return raw;
}

/** A port of this machine on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = await rawServer(() => {});
  await server.close();
  return server.port;
}

/** A port where connections hang: its server is blocked and its backlog is full. */
export async function deafServer(): Promise<{ port: number; close(): Promise<void> }> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30000);
     });`,
    { eval: true },
  );
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const fillers = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  // Those that get in fill the backlog; the first of the others shows that it is full.
  let inside = -1;
  for (let count = 0; count !== inside; ) {
    inside = count;
    await new Promise((r) => setTimeout(r, 50));
    count = fillers.filter((f) => !f.connecting).length;
  }
  return {
    port,
    async close() {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    },
  };
}

/** A generator of random numbers in [0, 1) that gives the same ones each time (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
