import type { DownstreamTls } from '../tls/downstream-tls.ts';

/** What is known of one accepted connection, before and after the listener filters looked at it. */
export interface ConnectionInfo {
  readonly id: number;
  /** The listener that accepted it (the one handed over to, with use_original_dst). */
  listener: string;
  direction: 'inbound' | 'outbound' | 'gateway';
  /** Milliseconds since 1970. */
  readonly startTime: number;
  /** Without brackets; a pipe's path with port 0. */
  localIp: string;
  localPort: number;
  /** What the client is, after the PROXY protocol; `directRemoteIp` is the peer itself. */
  remoteIp: string;
  remotePort: number;
  readonly directRemoteIp: string;
  readonly directRemotePort: number;
  /** `10.0.0.1:80`, `[::1]:80`. */
  localAddress: string;
  remoteAddress: string;
  /** `ip:port` when the kernel redirected the connection here. */
  originalDestination: string | undefined;
  transportProtocol: 'raw_buffer' | 'tls';
  /** Lower case; empty without one. */
  sni: string;
  /** From ALPN or the http inspector. */
  applicationProtocols: readonly string[];
  filterChain: string;
  /** Undefined for plain text, and before the handshake is over. */
  tls: DownstreamTls | undefined;
}

/** `10.0.0.1:80`; IPv6 in brackets; a pipe's path as it is. */
export function formatAddress(ip: string, port: number): string {
  if (port === 0 && ip.startsWith('/')) return ip;
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
