/** The CA as a server, on loopback unless another address is named. */
import type { AddressInfo, Server } from 'node:net';
import { FairleadError } from '../../src/errors.ts';
import { openCa, type ServeOptions } from './open-ca.ts';

export interface CaServer {
  readonly port: number;
  readonly socket: string;
  close(): Promise<void>;
}

/** Throws E_CA_MISSING, E_CA_KEY, E_CA_POLICY, E_CA_BUSY while another one serves, E_PORT_IN_USE, E_CA_DIRECTORY. The cluster of the options is closed with it. */
export async function serveCa(directory: string, options: ServeOptions): Promise<CaServer> {
  const { server, socket, begin, close } = await openCa(directory, options);
  const end = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    await close();
    await closed;
    options.cluster?.close();
  };
  try {
    await listen(server as Server, options);
  } catch (error) {
    await close();
    throw error;
  }
  begin();
  return { port: (server.address() as AddressInfo).port, socket, close: end };
}

/** Throws E_PORT_IN_USE, E_PORT_FORBIDDEN. */
export async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'EACCES' ? 'E_PORT_FORBIDDEN' : 'E_PORT_IN_USE';
      reject(
        new FairleadError(code, `the CA cannot listen on ${host}:${port}: ${error.code ?? error.message}`, {
          next: 'Name another with --port.',
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}
