import type { BackendSpec } from '../case.ts';
import { startHttpBackend } from './http.ts';
import { closedBackend, startTcpBackend, startTlsBackend } from './tcp.ts';
import type { Backend } from './types.ts';

const KINDS = { http: startHttpBackend, tcp: startTcpBackend, tls: startTlsBackend, refuse: closedBackend };

/** The server of a case's backend. */
export function startBackend(name: string, { kind = 'http', reply = {} }: BackendSpec): Promise<Backend> {
  return KINDS[kind](name, { ...reply }, '127.0.0.1');
}
