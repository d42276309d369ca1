import type { Socket } from 'node:net';
import type { TLSSocket, TlsOptions } from 'node:tls';
import type { BackendTls } from '../case.ts';
import type { Credentials } from '../credentials/credentials.ts';
import { selfSigned } from './self-signed.ts';
import type { Arrival } from './types.ts';

/** A server's side of TLS: a certificate of the case, or one that it signed itself. */
export function serverTls({ certificate, clients, alpn, minVersion, maxVersion }: BackendTls, credentials: Credentials): TlsOptions {
  const own = certificate === undefined ? undefined : credentials.certificate(certificate);
  return {
    ...(own ? { cert: own.chain, key: own.key } : selfSigned()),
    ...(clients !== undefined && { requestCert: true, rejectUnauthorized: true, ca: credentials.root(clients) }),
    ...(alpn && { ALPNProtocols: [...alpn] }),
    ...(minVersion && { minVersion }),
    ...(maxVersion && { maxVersion }),
  };
}

/** What a server sees of its client; nothing without TLS. */
export function tlsOf(socket: Socket | undefined): Pick<Arrival, 'sni' | 'client'> {
  const tls = socket as (TLSSocket & { servername?: string | false }) | undefined;
  // HTTP/2's sockets stand behind a Proxy that has no `has`.
  if (typeof tls?.getPeerCertificate !== 'function') return {};
  const subject = tls.getPeerCertificate()?.subject as { CN?: string } | undefined;
  return { sni: tls.servername || undefined, client: subject?.CN };
}
