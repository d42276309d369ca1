import { connect, type Socket } from 'node:net';

const CONNECT_MS = 5000;
const SILENCE_MS = 120_000;

/** Passes a connection on, bytes as they are: who is at either end is told by TLS, from end to end. Ends it when nobody is there. */
export function passOn(client: Socket, to: { host: string; port: number }): void {
  const upstream = connect(to);
  const connecting = setTimeout(() => upstream.destroy(), CONNECT_MS);
  upstream.once('connect', () => clearTimeout(connecting));
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.setTimeout(SILENCE_MS, () => one.destroy());
    one.on('error', () => one.destroy());
    one.once('close', () => {
      clearTimeout(connecting);
      other.destroy();
    });
    one.pipe(other);
  }
}
