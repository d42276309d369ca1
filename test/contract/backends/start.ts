import type { BackendSpec } from '../case.ts';
import type { Credentials } from '../credentials/credentials.ts';
import { filled } from '../placeholders.ts';
import { startHttpBackend } from './http.ts';
import { closedBackend, startTcpBackend, startTlsBackend } from './tcp.ts';
import { serverTls } from './tls.ts';
import type { Backend } from './types.ts';

/** The server of a case's backend. */
export function startBackend(name: string, spec: BackendSpec, credentials: Credentials): Promise<Backend> {
  const { kind = 'http', tls = {} } = spec;
  const reply = { ...filled(spec.reply ?? {}, credentials) };
  const address = '127.0.0.1';
  switch (kind) {
    case 'http':
      return startHttpBackend(name, reply, address);
    case 'https':
      return startHttpBackend(name, reply, address, { tls: serverTls(tls, credentials) });
    case 'tcp':
      return startTcpBackend(name, reply, address);
    case 'tls':
      return startTlsBackend(name, reply, address, serverTls(tls, credentials));
    case 'refuse':
      return closedBackend(name, reply, address);
    case 'ext-authz':
      return startHttpBackend(name, reply, address, { authorizes: true });
  }
}
