/**
 * A CA of several pods. Whoever holds the Lease answers, from what the Secret has; the others take connections as well and pass them on, so
 * that all are ready and any may be asked. Who loses the Lease ends, before another can have it.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { FairleadError } from '../../../src/errors.ts';
import { pause } from '../../../src/kubernetes/back-off.ts';
import type { ApiClient } from '../../../src/kubernetes/client.ts';
import { holdLease } from '../../../src/kubernetes/lease.ts';
import { openCa, type ServeOptions } from '../open-ca.ts';
import { listen } from '../serve.ts';
import { withLock } from '../with-lock.ts';
import { markShared, type SharedPlace, servedFolder } from './change.ts';
import { writeFiles } from './files.ts';
import { passOn } from './pass-on.ts';
import { openStateSecret, type SharedFiles } from './state-secret.ts';
import { watchState } from './watch-state.ts';

/** How long a connection waits for somebody to lead. */
const PATIENCE_MS = 5000;

export interface SharedOptions extends ServeOptions {
  client: ApiClient;
  /** The Secret; the Lease is called the same. */
  place: SharedPlace;
  /** Of this process alone: the pod’s name. */
  name: string;
  /** Where the other pods reach this one. */
  advertise: string;
  /** The port at that address; open while this one leads. */
  peerPort: number;
}

export interface SharedCa {
  close(): Promise<void>;
}

/** Throws E_CA_MISSING, E_PORT_IN_USE, E_PORT_FORBIDDEN, E_CA_DIRECTORY, errors of the cluster. */
export async function serveShared(directory: string, options: SharedOptions): Promise<SharedCa> {
  const { client, place, log, host, port } = options;
  const secret = openStateSecret(client, place.namespace, place.name);
  const served = servedFolder(directory);
  markShared(directory, place);
  let newest = 0n;
  /** What a watch tells may be older than what was read. */
  const put = ({ files, version }: SharedFiles): void => {
    if (version < newest) return;
    newest = version;
    writeFiles(served, files);
  };
  /** Whoever begins to lead does so with the newest. */
  const take = async (): Promise<void> => {
    const shared = await secret.read();
    const { files } = shared;
    if (!files.has('state.json'))
      throw new FairleadError('E_CA_MISSING', `there is no certificate authority in the Secret ${secret.name}`, {
        next: 'Make one with `fairlead ca init --state-secret NAMESPACE/NAME`.',
      });
    put(shared);
  };
  await take();
  await refresh(directory);
  const watching = watchState(client, place, log, (shared) => {
    if (!shared.files.has('state.json')) return log.error('the CA’s Secret is empty; the last state goes on', { secret: secret.name });
    put(shared);
    void refresh(directory).catch((error: Error) => log.warning('the copy of the CA’s files is old', { why: error.message }));
  });
  /** What takes connections now, where this one leads. */
  let leader: { server: Server } | undefined;
  const identity = `${options.name}@${options.advertise}:${options.peerPort}`;
  const closing = new AbortController();
  const taken = new Set<Socket>();
  const front = createServer((socket) => {
    taken.add(socket);
    socket.once('close', () => taken.delete(socket));
    void give(socket);
  });

  /** To whoever leads; while nobody does, as between one and the next, it waits a little. */
  async function give(socket: Socket): Promise<void> {
    socket.on('error', () => socket.destroy());
    const deadline = performance.now() + PATIENCE_MS;
    for (; !socket.destroyed; await pause(50, closing.signal)) {
      if (leader) return void leader.server.emit('connection', socket);
      const holder = lease.holder();
      const peer = holder === identity ? undefined : peerOf(holder);
      if (peer) return passOn(socket, peer);
      if (performance.now() > deadline || closing.signal.aborted) socket.destroy();
    }
  }

  const lease = holdLease({
    client,
    namespace: place.namespace,
    name: place.name,
    identity,
    log,
    async held(signal) {
      await take();
      await refresh(directory);
      const ca = await openCa(directory, options, { served, isHeld: lease.isHeld });
      const peers = createServer((socket) => ca.server.emit('connection', socket));
      try {
        await listen(peers, { host, port: options.peerPort });
        if (signal.aborted) return;
        leader = { server: ca.server as Server };
        ca.begin();
        log.info('this CA leads', { secret: secret.name });
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      } finally {
        leader = undefined;
        await Promise.all([ca.close(), new Promise((resolve) => peers.close(resolve))]);
      }
    },
  });
  const close = async (): Promise<void> => {
    closing.abort();
    await lease.close();
    await watching.close();
    const closed = new Promise((resolve) => front.close(resolve));
    for (const socket of taken) socket.destroy();
    await closed;
    options.cluster?.close();
    client.close();
  };
  try {
    await listen(front, { host, port });
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

/** Commands read the directory. */
const refresh = (directory: string): Promise<void> => withLock(directory, () => undefined);

/** `NAME@ADDRESS:PORT`. */
function peerOf(holder: string | undefined): { host: string; port: number } | undefined {
  const [, host, port] = /@\[?([^@\]]+)\]?:(\d+)$/.exec(holder ?? '') ?? [];
  return host && port ? { host, port: Number(port) } : undefined;
}
