/**
 * The part of a kubelet that a real API server asks for streams and logs: an HTTPS server that it finds by the Node's status. What it leads to is
 * real: ports of processes on loopback, and commands that are run. Protocols as k8s.io/cri-streaming has them (port-forward v4, exec v4 and v5 over WebSocket).
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';
import type { KubeApi, KubeObject } from './kube-api.ts';

export interface FakeContainer {
  /** What the command line of an exec really runs; undefined: there is no such program. */
  exec?(command: readonly string[]): readonly string[] | undefined;
  log?: string;
}

export interface FakePod {
  /** Ports of the pod, and the ports of loopback that stand for them. */
  ports: Record<number, number>;
  containers: Record<string, FakeContainer>;
}

export interface FakeKubelet {
  readonly port: number;
  /** By `namespace/name`. */
  readonly pods: Map<string, FakePod>;
  /** How many streams are open now. */
  streams(): number;
  /** The most that were open at once. */
  mostStreams(): number;
  /** How many streams were asked for. */
  asked(): number;
  /** Streams that come from here on are taken and never answered. */
  silent: boolean;
  close(): Promise<void>;
}

export async function startFakeKubelet(): Promise<FakeKubelet> {
  const pods = new Map<string, FakePod>();
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => ['v5.channel.k8s.io', 'v4.channel.k8s.io'].find((p) => offered.has(p)) ?? false,
  });
  let most = 0;
  let upgrades = 0;
  const server = createServer(serverKeys(), (request, response) => {
    const { kind, pod, container, query } = asked(request, pods);
    const log = pod?.containers[container]?.log;
    if (kind !== 'containerLogs' || log === undefined) {
      response.writeHead(404).end(pod === undefined ? 'pod does not exist' : `container "${container}" is not there`);
      return;
    }
    const lines = log.split('\n');
    const tail = query.get('tailLines');
    response.end(tail === null ? log : lines.slice(-Number(tail) - 1).join('\n'));
  });
  const raw = new Set<{ destroy(): void }>();
  const kubelet: FakeKubelet = {
    port: 0,
    pods,
    streams: () => sockets.clients.size,
    mostStreams: () => most,
    asked: () => upgrades,
    silent: false,
    async close() {
      for (const socket of raw) socket.destroy();
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on('upgrade', (request, socket, head) => {
    raw.add(socket);
    upgrades += 1;
    socket.on('error', () => undefined);
    socket.on('close', () => raw.delete(socket));
    if (kubelet.silent) return;
    const { kind, pod, container, query } = asked(request, pods);
    if (pod === undefined) {
      socket.end('HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\ncontent-length: 18\r\n\r\npod does not exist');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
      ws.on('error', () => undefined);
      most = Math.max(most, sockets.clients.size);
      if (kind === 'portForward') forward(ws, Number(query.get('port')), pod);
      else exec(ws, query.getAll('command'), pod.containers[container] ?? {});
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(kubelet, { port: (server.address() as AddressInfo).port });
}

function asked(request: IncomingMessage, pods: ReadonlyMap<string, FakePod>) {
  const url = new URL(request.url ?? '/', 'https://kubelet');
  const [, kind = '', namespace, name, container = ''] = url.pathname.split('/');
  return { kind, pod: pods.get(`${namespace}/${name}`), container, query: url.searchParams };
}

function forward(ws: WebSocket, port: number, pod: FakePod): void {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(port);
  for (const channel of [0, 1]) ws.send(Buffer.concat([Buffer.of(channel), bytes]));
  const target = pod.ports[port];
  const refuse = (): void => {
    ws.send(Buffer.concat([Buffer.of(1), Buffer.from(`error forwarding port ${port} to pod: connect: connection refused`)]));
    ws.close();
  };
  if (target === undefined) {
    refuse();
    return;
  }
  const socket = connect(target, '127.0.0.1');
  socket.on('error', refuse);
  socket.on('data', (data) => ws.send(Buffer.concat([Buffer.of(0), data])));
  socket.on('end', () => ws.close());
  ws.on('message', (data: Buffer) => {
    if (data[0] === 0) socket.write(data.subarray(1));
  });
  ws.on('close', () => socket.destroy());
}

function exec(ws: WebSocket, command: readonly string[], container: FakeContainer): void {
  const end = (status: object): void => {
    ws.send(Buffer.concat([Buffer.of(3), Buffer.from(JSON.stringify({ metadata: {}, ...status }))]));
    ws.close();
  };
  const [program, ...args] = container.exec?.(command) ?? [];
  if (program === undefined) {
    end({ status: 'Failure', reason: 'InternalError', message: `exec: "${command[0]}": executable file not found in $PATH` });
    return;
  }
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const [channel, stream] of [
    [1, child.stdout],
    [2, child.stderr],
  ] as const)
    stream.on('data', (data: Buffer) => ws.send(Buffer.concat([Buffer.of(channel), data])));
  child.on('close', (code) => {
    if (code === 0) return end({ status: 'Success' });
    const causes = [{ reason: 'ExitCode', message: String(code) }];
    end({ status: 'Failure', reason: 'NonZeroExitCode', message: `command terminated with exit code ${code}`, details: { causes } });
  });
  ws.on('close', () => child.kill('SIGKILL'));
}

/** The API server does not verify kubelets unless it is told to. */
function serverKeys(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-kubelet-'));
  try {
    const { status, stderr } = spawnSync(
      'openssl',
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -out crt -subj /CN=kubelet -days 2'.split(' '),
      { cwd: folder, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`openssl: ${stderr}`);
    return { key: readFileSync(join(folder, 'key')), cert: readFileSync(join(folder, 'crt')) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A Node whose kubelet is this one. It declares what makes the API server of 1.36 pass exec on as WebSocket, in place of SPDY; kubelets from
 * before declare nothing.
 */
export async function createNode(
  api: KubeApi,
  name: string,
  kubelet: FakeKubelet,
  declaredFeatures = ['ExtendWebSocketsToKubelet'],
): Promise<void> {
  await api.create({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } },
      declaredFeatures,
    },
  });
}

/** Makes a pod as a kubelet would have it: bound to a node, and running unless its status says otherwise. */
export async function createPod(api: KubeApi, pod: KubeObject, status: object = { phase: 'Running' }): Promise<void> {
  await api.create(pod);
  const { name, namespace } = pod.metadata;
  await api.admin.request(`/api/v1/namespaces/${namespace}/pods/${name}/status`, {
    method: 'PATCH',
    body: { status },
    contentType: 'application/merge-patch+json',
  });
}
