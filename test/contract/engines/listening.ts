import { connect } from 'node:net';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import { until } from '../../support/http.ts';

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', end(true)).once('error', end(false));
  });
}

/** Waits until every listener of a snapshot takes connections. */
export async function listening({ listeners }: Snapshot): Promise<void> {
  for (const { name, address, bindToPort } of listeners) {
    const port = address?.socketAddress?.portValue;
    if (port !== undefined && bindToPort !== false) await until(`${name} listens`, () => accepts(port));
  }
}
