import { connect } from 'node:net';
import type { ProbeAnswer } from './app-probes.ts';
import type { ProbeTarget } from './probe-target.ts';

/** Whether the application takes connections; rejects when it does not. */
export function probeTcp(port: number, { address, localAddress }: ProbeTarget, signal: AbortSignal): Promise<ProbeAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, ...(localAddress && { localAddress }), signal });
    socket.on('error', reject);
    socket.on('connect', () => {
      socket.destroy();
      resolve({ status: 200, text: `the application takes connections on port ${port}` });
    });
  });
}
