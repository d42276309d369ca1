/** A TCP proxy whose connections can be cut, refused and frozen. */
import { connect, createServer, type Socket } from 'node:net';

export interface CutProxy {
  readonly port: number;
  /** Connections that are open now. */
  open(): number;
  /** How many were ever accepted. */
  accepted(): number;
  /** When each was accepted, by `performance.now()`. */
  times(): readonly number[];
  /** Resets every connection; new ones are taken. */
  cut(): void;
  /** Resets every connection, and each new one as well, until `heal`. */
  refuse(): void;
  /** Nothing passes any more through the connections that are open, which stay open. */
  freeze(): void;
  heal(): void;
  close(): Promise<void>;
}

export async function startCutProxy(target: number): Promise<CutProxy> {
  const pairs = new Set<[Socket, Socket]>();
  let refusing = false;
  const times: number[] = [];
  const server = createServer((client) => {
    times.push(performance.now());
    client.on('error', () => undefined);
    if (refusing) {
      reset(client);
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    const pair: [Socket, Socket] = [client, upstream];
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    upstream.on('error', end).on('close', end);
    client.on('close', end);
    client.pipe(upstream);
    upstream.pipe(client);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const cut = (): void => {
    for (const [client] of pairs) reset(client);
  };
  return {
    port: (server.address() as { port: number }).port,
    open: () => pairs.size,
    accepted: () => times.length,
    times: () => times,
    cut,
    refuse() {
      refusing = true;
      cut();
    },
    freeze() {
      for (const [client, upstream] of pairs) {
        client.unpipe(upstream);
        upstream.unpipe(client);
        client.pause();
        upstream.pause();
      }
    },
    heal() {
      refusing = false;
    },
    async close() {
      refusing = true;
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A socket that was ended already is not reset: Node would wait for the end of it for ever when the process is to end. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
