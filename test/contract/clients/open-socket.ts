import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { SeenTls, Sent } from './types.ts';

/** A connection as a request asks for it: TCP, or TLS with its certificate, server name and ALPN. */
export function openSocket({ port, source, sni, tls }: Sent, more: { allowHalfOpen?: boolean; alpn?: string[] } = {}): Socket {
  const at = { host: '127.0.0.1', port, allowHalfOpen: more.allowHalfOpen ?? false, ...(source && { localAddress: source }) };
  if (tls === undefined) return connect(at);
  return connectTls({ ...at, ...(more.alpn && { ALPNProtocols: more.alpn }), ...tls, servername: sni ?? '' });
}

// HTTP/2's sockets stand behind a Proxy that has no `has`.
const isTls = (socket: Socket): socket is TLSSocket => typeof (socket as TLSSocket).getPeerCertificate === 'function';

/** undefined for a connection without TLS, or before its handshake. */
export function seenTls(socket: Socket | undefined | null): SeenTls | undefined {
  if (!socket || !isTls(socket)) return undefined;
  const version = socket.getProtocol();
  if (version === null) return undefined;
  const { subject, subjectaltname = '' } = socket.getPeerCertificate();
  return {
    version,
    alpn: socket.alpnProtocol || undefined,
    cipher: socket.getCipher()?.name ?? '',
    name: subject?.CN === undefined ? undefined : String(subject.CN),
    sans: subjectaltname,
    trusted: socket.authorized,
  };
}
