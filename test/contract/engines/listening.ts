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

/** Waits until every listener for HTTP takes connections. Through one for TCP the attempt would reach a backend. */
export async function listening({ listeners }: Snapshot): Promise<void> {
  for (const { name, address, bindToPort, filterChains = [] } of listeners) {
    const http = filterChains.some((c) => c.filters?.some((f) => f.name === 'envoy.filters.network.http_connection_manager'));
    const port = http ? address?.socketAddress?.portValue : undefined;
    if (port !== undefined && bindToPort !== false) await until(`${name} listens`, () => accepts(port));
  }
}
