import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import type { Log } from '../log.ts';
import type { Issuer } from './issuer.ts';
import { openLocalIssuer } from './local-issuer.ts';
import { openRemoteIssuer } from './remote-issuer.ts';
import { openIdentityStore } from './store.ts';

/** Where an agent's certificates come from. */
export type CaChoice =
  /** A CA's directory; undefined: `ca` in the data directory, made when it is not there. */
  | { directory: string | undefined; passphrase: string | undefined }
  | { address: string; rootsFile: string; tokenFile: string | undefined }
  /** Whoever signs CertificateSigningRequests of the signer fairlead.dev/mesh. */
  | { cluster: ApiClient; rootsFile: string; nodeName: string | undefined };

export const caName = (choice: CaChoice, dataDirectory: string): string =>
  'cluster' in choice
    ? `the CA behind the CSR API of ${choice.cluster.context}`
    : 'address' in choice
      ? `the CA at ${choice.address}`
      : `the CA in ${choice.directory ?? join(dataDirectory, 'ca')}`;

/** Throws what `openLocalIssuer` does; one that is served is asked only when something is wanted. */
export async function openIssuer(choice: CaChoice, dataDirectory: string, trustDomain: string, log: Log): Promise<Issuer> {
  const agent = `${hostname()}:${dataDirectory}`.slice(-256);
  if ('address' in choice) return openRemoteIssuer({ ...choice, trustDomain, agent, store: openIdentityStore(dataDirectory), log });
  if ('cluster' in choice) {
    const { openCsrIssuer } = await import('./csr-issuer.ts');
    return openCsrIssuer({ ...choice, trustDomain, store: openIdentityStore(dataDirectory) });
  }
  const { directory, passphrase } = choice;
  return openLocalIssuer({
    directory: directory ?? join(dataDirectory, 'ca'),
    create: directory === undefined,
    trustDomain,
    passphrase,
    agent,
    log,
  });
}
