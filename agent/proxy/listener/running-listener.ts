import { createServer, type Server, type Socket } from 'node:net';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import { HttpConnection } from '../http/http-connection.ts';
import { tcpRecord } from '../tcp/tcp-record.ts';
import type { ClientHello, TlsTermination } from '../tls/terminate.ts';
import type { Counter, Gauge, StatsRegistry } from '../types.ts';
import type { CompiledListener } from './compile-listener.ts';
import { type ConnectionInfo, formatAddress } from './connection.ts';
import { runInspectors } from './inspect.ts';
import type { FilterChain } from './network-filter.ts';
import { serveHttp } from './serve-http.ts';
import { createTlsInspector } from './tls-inspector.ts';

let connections = 0;

const HELLO = createTlsInspector(() => false);

export interface RunningListenerDeps {
  readonly stats: StatsRegistry;
  readonly proxyId: string;
  /** For original destinations: the listener that owns the address, `ip:port`; undefined when none does. */
  unbound(address: string, port: number): CompiledListener | undefined;
  originalDestination(socket: Socket): { address: string; port: number } | undefined;
  record(record: RequestRecord): void;
}

interface ListenerStats {
  cxTotal: Counter;
  cxActive: Gauge;
  cxDestroy: Counter;
  noMatch: Counter;
  inspectTimeout: Counter;
}

/** One listening socket and its connections. What it does with them changes by `swap`; the socket stays. */
export class RunningListener {
  compiled: CompiledListener;
  readonly #deps: RunningListenerDeps;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #http = new Set<HttpConnection>();
  #stats: ListenerStats;
  #draining = false;

  constructor(compiled: CompiledListener, deps: RunningListenerDeps) {
    this.compiled = compiled;
    this.#deps = deps;
    this.#stats = listenerStats(deps.stats, compiled.statPrefix);
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Rejects with the system's error: EADDRINUSE, EACCES, EADDRNOTAVAIL. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.compiled.address.options, () => {
        this.#server.off('error', reject);
        // Out of file descriptors: the next connection may find some again.
        this.#server.on('error', () => undefined);
        resolve();
      });
    });
  }

  /** The port it got, where 0 was asked for. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : this.compiled.address.port;
  }

  /** Requests in flight. */
  get active(): number {
    let active = 0;
    for (const connection of this.#http) active += connection.active;
    return active;
  }

  /** New connections and new requests go by `compiled` from now on. */
  swap(compiled: CompiledListener): void {
    this.compiled = compiled;
    this.#stats = listenerStats(this.#deps.stats, compiled.statPrefix);
    for (const connection of this.#http) {
      const chain = compiled.find(connection.info) ?? compiled.defaultChain;
      if (chain?.filter?.kind === 'http') connection.manager = chain.filter.manager;
      // No HTTP there any more: the requests in flight are the last ones.
      else connection.drain();
    }
  }

  /** Accepts no more; connections end with their requests. `done` runs when the last one is closed. */
  drain(done?: () => void): void {
    if (done !== undefined) this.#server.once('close', done);
    if (this.#draining) return;
    this.#draining = true;
    this.#server.close();
    for (const connection of this.#http) connection.drain();
  }

  /** Everything ends now. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#server.listening) this.#server.close(() => resolve());
      else if (this.#sockets.size === 0) resolve();
      else this.#server.once('close', resolve);
      for (const socket of this.#sockets) socket.destroy();
      if (this.#sockets.size === 0) resolve();
    });
  }

  #accept(socket: Socket): void {
    const stats = this.#stats;
    stats.cxTotal.inc();
    stats.cxActive.inc();
    this.#sockets.add(socket);
    // 'close' follows; whoever serves the socket listens by itself.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      stats.cxActive.dec();
      stats.cxDestroy.inc();
      this.#sockets.delete(socket);
    });
    const info = describeConnection(socket, this.compiled);
    let { compiled } = this;
    if (compiled.originalDestination) {
      const original = this.#deps.originalDestination(socket);
      if (original !== undefined) {
        info.localIp = original.address;
        info.localPort = original.port;
        info.localAddress = info.originalDestination = formatAddress(original.address, original.port);
        if (compiled.json.useOriginalDst === true) compiled = this.#deps.unbound(original.address, original.port) ?? compiled;
        info.listener = compiled.name;
      }
    }
    const inspectors = compiled.inspectors.filter((inspector) => !inspector.disabled(info.localPort));
    if (inspectors.length === 0) {
      this.#serve(socket, info, compiled);
      return;
    }
    runInspectors(socket, info, inspectors, compiled.inspectTimeout, (outcome) => {
      if (outcome === 'expired') stats.inspectTimeout.inc();
      if (outcome === 'reject' || (outcome === 'expired' && !compiled.continueOnTimeout)) socket.destroy();
      else this.#serve(socket, info, compiled);
    });
  }

  #serve(socket: Socket, info: ConnectionInfo, compiled: CompiledListener): void {
    const chain = compiled.find(info) ?? compiled.defaultChain;
    if (chain === undefined) {
      this.#stats.noMatch.inc();
      if (compiled.recordDirection !== undefined || compiled.accessLogs.length > 0) {
        const record = refusedRecord(this.#deps.proxyId, info, compiled.recordDirection ?? info.direction);
        if (compiled.recordDirection !== undefined) this.#deps.record(record);
        for (const log of compiled.accessLogs) log.log(record);
      }
      socket.destroy();
      return;
    }
    info.filterChain = chain.name;
    if (chain.tls === undefined) this.#give(socket, info, chain);
    else this.#terminate(socket, info, chain, chain.tls, compiled);
  }

  /** Ends the client's TLS; the chain's filter gets what is inside. */
  #terminate(socket: Socket, info: ConnectionInfo, chain: FilterChain, termination: TlsTermination, compiled: CompiledListener): void {
    let timer: NodeJS.Timeout | undefined;
    if (chain.connectTimeout > 0) {
      timer = setTimeout(() => {
        this.#deps.stats.counter(`${compiled.statPrefix}.downstream_cx_transport_socket_connect_timeout`).inc();
        socket.destroy();
      }, chain.connectTimeout);
      socket.once('close', () => clearTimeout(timer));
    }
    const accept = (hello: ClientHello): void =>
      termination.accept(
        socket,
        hello,
        (secured, tls) => {
          clearTimeout(timer);
          info.tls = tls;
          this.#give(secured, info, chain);
        },
        (reason) => {
          const { recordDirection, accessLogs } = compiled;
          if (recordDirection === undefined && accessLogs.length === 0) return;
          const plain = refusedRecord(this.#deps.proxyId, info, recordDirection ?? info.direction);
          const record = { ...plain, flags: '-', details: '', downstreamTransportFailure: reason };
          // Who only left, or looked whether somebody listens, is not told of.
          if (recordDirection !== undefined && reason !== '') this.#deps.record(record);
          for (const log of accessLogs) log.log(record);
        },
      );
    if (info.transportProtocol === 'tls') {
      accept(info);
      return;
    }
    // No inspector has looked at it: the ClientHello is read here, and what it says is nobody else's.
    const hello = { ...info };
    runInspectors(socket, hello, [HELLO], 0, () => accept(hello));
  }

  #give(socket: Socket, info: ConnectionInfo, { filter }: FilterChain): void {
    if (filter === undefined) {
      socket.destroy();
      return;
    }
    info.direction = filter.kind === 'http' ? filter.manager.direction : info.direction;
    if (filter.kind === 'tcp') {
      filter.serve(socket, info);
      return;
    }
    const connection = new HttpConnection(filter.manager, info, socket);
    this.#http.add(connection);
    socket.once('close', () => this.#http.delete(connection));
    serveHttp(connection);
    if (this.#draining) connection.drain();
  }
}

function listenerStats(stats: StatsRegistry, prefix: string): ListenerStats {
  return {
    cxTotal: stats.counter(`${prefix}.downstream_cx_total`),
    cxActive: stats.gauge(`${prefix}.downstream_cx_active`),
    cxDestroy: stats.counter(`${prefix}.downstream_cx_destroy`),
    noMatch: stats.counter(`${prefix}.no_filter_chain_match`),
    inspectTimeout: stats.counter(`${prefix}.downstream_pre_cx_timeout`),
  };
}

/** Envoy shows IPv4-mapped addresses as what they are. */
const plainIp = (ip: string): string => (ip.startsWith('::ffff:') && ip.includes('.') ? ip.slice(7) : ip);

function describeConnection(socket: Socket, { name, inbound, address }: CompiledListener): ConnectionInfo {
  const localIp = plainIp(socket.localAddress ?? address.text);
  const localPort = socket.localPort ?? 0;
  const remoteIp = plainIp(socket.remoteAddress ?? address.text);
  const remotePort = socket.remotePort ?? 0;
  return {
    id: ++connections,
    listener: name,
    direction: inbound ? 'inbound' : 'outbound',
    startTime: Date.now(),
    localIp,
    localPort,
    remoteIp,
    remotePort,
    directRemoteIp: remoteIp,
    directRemotePort: remotePort,
    localAddress: formatAddress(localIp, localPort),
    remoteAddress: formatAddress(remoteIp, remotePort),
    originalDestination: undefined,
    transportProtocol: 'raw_buffer',
    sni: '',
    applicationProtocols: [],
    filterChain: '',
    tls: undefined,
  };
}

/** A connection that no filter chain takes. */
function refusedRecord(proxy: string, info: ConnectionInfo, direction: RequestRecord['direction']): RequestRecord {
  return tcpRecord({
    proxy,
    startTime: info.startTime,
    duration: Date.now() - info.startTime,
    direction,
    flags: 'NR',
    details: 'filter_chain_not_found',
    terminationDetails: '',
    upstreamTransportFailure: '',
    bytesReceived: 0,
    bytesSent: 0,
    upstreamHost: '',
    upstreamCluster: '',
    upstreamLocalAddress: '',
    downstreamLocalAddress: info.localAddress,
    downstreamRemoteAddress: info.remoteAddress,
    sni: info.sni,
    attempts: 0,
  });
}
