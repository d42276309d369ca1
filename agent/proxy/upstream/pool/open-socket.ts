import { lookup } from 'node:dns';
import { connect, type NetConnectOpts, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { Dial } from '../../../../src/upstream/dial.ts';
import type { TlsOrigination, TlsRequest } from '../../tls/originate.ts';
import type { ResetReason } from '../../types.ts';
import { CONNECT_TIMEOUT, connectFailure, tlsFailure } from '../reset-reasons.ts';
import { type ProxiedAddresses, proxyProtocolHeader } from './proxy-protocol-header.ts';

/** How a cluster connects. */
export interface SocketOptions {
  /** Milliseconds. */
  connectTimeout: number;
  /** Source address and port (0: any). */
  bind: { address: string; port: number } | undefined;
  /** Milliseconds before the first TCP keepalive probe; undefined: none are sent. */
  keepAlive: number | undefined;
  /** The peer may end its side and go on reading. */
  halfOpen?: boolean;
  /** The PROXY protocol's header goes first. */
  proxyProtocol?: 'V1' | 'V2' | undefined;
  /** TLS, behind that header. */
  tls?: { readonly origination: TlsOrigination; readonly request: TlsRequest } | undefined;
  /** Whom that header names; the connection's own two ends by default, as in Envoy. */
  proxied?: ProxiedAddresses | undefined;
}

/** Told once, the one or the other. */
export interface SocketEvents {
  connected(socket: Socket): void;
  failed(reason: ResetReason): void;
}

/** Connects; with TLS, `connected` gets another socket than the one that is returned. Destroying that before either event makes it silent. */
export function openSocket(dial: Dial, options: SocketOptions, on: SocketEvents): Socket {
  const socket = connect(connectOptions(dial, options));
  let over = false;
  const timer = setTimeout(() => end(CONNECT_TIMEOUT), Math.min(options.connectTimeout, 2_147_483_647));
  const onError = (error: Error): void => end(connectFailure(error));
  const onClose = (): void => clearTimeout(timer);

  function end(reason: ResetReason | undefined, made = socket): void {
    if (over) return;
    over = true;
    clearTimeout(timer);
    socket.off('error', onError).off('close', onClose);
    if (reason === undefined) {
      on.connected(made);
    } else {
      socket.on('error', () => {}).destroy();
      on.failed(reason);
    }
  }

  socket.once('error', onError);
  socket.once('close', onClose);
  socket.once('connect', () => {
    if (options.proxyProtocol !== undefined) socket.write(proxyProtocolHeader(options.proxyProtocol, options.proxied ?? endsOf(socket)));
    if (options.tls === undefined) {
      end(undefined);
      return;
    }
    const { origination, request } = options.tls;
    origination.secure(socket, request, {
      connected: (secured) => end(undefined, secured),
      failed: (detail) => end(tlsFailure(detail)),
    });
  });
  return socket;
}

function endsOf(socket: Socket): ProxiedAddresses {
  const { localAddress: sourceIp = '0.0.0.0', localPort: sourcePort = 0 } = socket;
  return { sourceIp, sourcePort, destinationIp: socket.remoteAddress ?? '0.0.0.0', destinationPort: socket.remotePort ?? 0 };
}

function connectOptions(dial: Dial, { bind, keepAlive, halfOpen = false }: SocketOptions): NetConnectOpts {
  if (dial.kind === 'pipe') return { path: dial.path.startsWith('@') ? `\0${dial.path.slice(1)}` : dial.path, allowHalfOpen: halfOpen };
  const options: TcpNetConnectOpts = {
    host: dial.kind === 'ip' ? dial.ip : dial.name,
    port: dial.port,
    noDelay: true,
    allowHalfOpen: halfOpen,
  };
  if (dial.kind === 'name') {
    options.family = dial.family;
    options.lookup = lookup;
  }
  if (keepAlive !== undefined) {
    options.keepAlive = true;
    options.keepAliveInitialDelay = keepAlive;
  }
  if (bind !== undefined) {
    options.localAddress = bind.address;
    if (bind.port > 0) options.localPort = bind.port;
  }
  return options;
}
