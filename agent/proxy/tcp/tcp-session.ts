import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Cluster, Host, LoadBalancerContext, ResetReason } from '../types.ts';
import { startTimeout } from '../upstream/start-timeout.ts';
import type { Admission, Denial } from './admission.ts';
import type { TcpConnectionInfo, TcpSettings } from './tcp-proxy.ts';
import { tcpRecord } from './tcp-record.ts';

/** One client's connection and the one to an upstream that it is joined with. Envoy: TcpProxy::Filter. */
export class TcpSession {
  readonly #settings: TcpSettings;
  readonly #client: Socket;
  readonly #info: TcpConnectionInfo;
  readonly #admission: Admission | undefined;
  readonly #startTime = Date.now();
  readonly #started = performance.now();
  #cluster: Cluster | undefined;
  #host: Host | undefined;
  #upstream: Duplex | undefined;
  #upstreamLocal = '';
  #connecting: { cancel(): void } | undefined;
  #attempts = 0;
  #flags: string[] = [];
  #failure = '';
  #denial: Denial | undefined;
  #received = 0;
  #sent = 0;
  #lastData = performance.now();
  #idleTimer: NodeJS.Timeout | undefined;
  #durationTimer: NodeJS.Timeout | undefined;
  #open = 1;
  #over = false;

  constructor(settings: TcpSettings, client: Socket, info: TcpConnectionInfo, admission?: Admission) {
    this.#settings = settings;
    this.#client = client;
    this.#info = info;
    this.#admission = admission;
  }

  start(): void {
    const { stats, maxDuration } = this.#settings;
    stats.cxTotal.inc();
    // Nothing is read from the client before there is somebody to give it to; only its end is noticed.
    this.#client.on('error', () => this.#clientBroke());
    this.#client.once('close', () => this.#closed());
    if (maxDuration > 0) {
      this.#durationTimer = startTimeout(() => {
        stats.maxDuration.inc();
        this.#flags.push('DT');
        this.#end();
      }, maxDuration);
    }
    if (this.#admission === undefined) this.#choose();
    else this.#admit(this.#admission);
  }

  /** A client that breaks off while it is asked about is noticed, since its first bytes are buffered. */
  #admit(admission: Admission): void {
    const client = this.#client;
    const notice = (): void => undefined;
    client.on('readable', notice);
    admission.decide((denial) => {
      client.off('readable', notice);
      if (this.#over) return;
      if (denial === undefined) this.#choose();
      else this.#deny(denial);
    });
  }

  #choose(): void {
    const { stats, clusters, chooseCluster } = this.#settings;
    this.#cluster = clusters.get(chooseCluster());
    if (this.#cluster === undefined) {
      stats.cxNoRoute.inc();
      this.#refuse('NC');
      return;
    }
    this.#connect();
  }

  #connect(): void {
    const { maxAttempts, hashOf } = this.#settings;
    const cluster = this.#cluster!;
    if (this.#attempts >= maxAttempts) {
      cluster.stats.counter('upstream_cx_connect_attempts_exceeded').inc();
      this.#refuse('URX');
      return;
    }
    const context: LoadBalancerContext = {};
    const hash = hashOf(this.#info);
    if (hash !== undefined) context.hash = hash;
    if (this.#info.originalDestination !== undefined) context.originalDestination = this.#info.originalDestination;
    const host = cluster.chooseHost(context);
    if (host === undefined) {
      this.#refuse('UH');
      return;
    }
    this.#attempts++;
    this.#host = host;
    const on = { connected: (socket: Duplex) => this.#join(socket), failed: (reason: ResetReason) => this.#failed(reason) };
    const { remoteAddress: source, localAddress: destination } = this.#info;
    this.#connecting = cluster.connect(host, on, { source, destination });
  }

  #failed(reason: ResetReason): void {
    if (this.#over) return;
    if (!this.#flags.includes(reason.flag)) this.#flags.push(reason.flag);
    this.#failure = reason.detail.replaceAll('_', ' ');
    // Envoy: an overflow is not a connection attempt that failed; trying again would not help.
    if (reason.kind === 'overflow') this.#refuse();
    else this.#connect();
  }

  #join(upstream: Duplex & { localAddress?: string; localPort?: number }): void {
    if (this.#over) {
      upstream.destroy();
      return;
    }
    this.#connecting = undefined;
    this.#flags = [];
    this.#failure = '';
    this.#upstream = upstream;
    this.#open++;
    const { localAddress: ip = '', localPort } = upstream;
    this.#upstreamLocal = ip === '' ? '' : `${ip.includes(':') ? `[${ip}]` : ip}:${localPort}`;
    const client = this.#client;
    const { stats, idleTimeout } = this.#settings;
    const mayPass = this.#again();
    client.on('data', (chunk: Buffer) => {
      if (!mayPass()) return;
      this.#received += chunk.length;
      stats.rxBytes.value += chunk.length;
      this.#lastData = performance.now();
      if (upstream.write(chunk)) return;
      client.pause();
      stats.paused.inc();
    });
    upstream.on('drain', () => {
      client.resume();
      stats.resumed.inc();
    });
    upstream.on('data', (chunk: Buffer) => {
      this.#sent += chunk.length;
      stats.txBytes.value += chunk.length;
      this.#lastData = performance.now();
      if (!client.write(chunk)) upstream.pause();
    });
    client.on('drain', () => upstream.resume());
    // A side that has sent all is still sent to.
    const onEnd = (): void => {
      if (mayPass()) upstream.end();
    };
    // It may have come without a byte, while there was no upstream.
    if (client.readableEnded) onEnd();
    else client.once('end', onEnd);
    upstream.once('end', () => client.end());
    upstream.on('error', () => client.destroySoon());
    upstream.once('close', () => this.#closed());
    if (idleTimeout > 0) this.#watchIdle(idleTimeout);
  }

  /** Whether the client is still admitted, for each arrival of its bytes; the first was decided on when it connected. */
  #again(): () => boolean {
    const again = this.#admission?.again;
    if (again === undefined) return () => true;
    let first = true;
    return () => {
      if (this.#denial !== undefined) return false;
      const denial = first ? undefined : again();
      first = false;
      if (denial !== undefined) this.#deny(denial);
      return denial === undefined;
    };
  }

  #watchIdle(timeout: number): void {
    const left = this.#lastData + timeout - performance.now();
    if (left > 0) {
      this.#idleTimer = startTimeout(() => this.#watchIdle(timeout), left);
      return;
    }
    this.#settings.stats.idleTimeout.inc();
    this.#end();
  }

  /** No upstream: the client is sent away. */
  #refuse(flag?: string): void {
    if (flag !== undefined) this.#flags.push(flag);
    this.#end();
  }

  #deny(denial: Denial): void {
    this.#denial = denial;
    if (denial.flag !== undefined) this.#flags.push(denial.flag);
    this.#end();
  }

  #end(): void {
    this.#connecting?.cancel();
    this.#client.destroy();
    this.#upstream?.destroy();
  }

  #clientBroke(): void {
    this.#upstream?.destroy();
  }

  /** One side is closed; the other one gets what is still on its way, then ends. */
  #closed(): void {
    if (--this.#open === 0) {
      this.#finish();
      return;
    }
    const upstream = this.#upstream as Socket;
    if (!this.#client.destroyed) {
      this.#client.destroySoon();
      return;
    }
    const { flushTotal, flushActive } = this.#settings.stats;
    if (upstream.writableLength > 0) {
      flushTotal.inc();
      flushActive.inc();
      upstream.once('close', () => flushActive.dec());
    }
    upstream.destroySoon();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#durationTimer);
    if (this.#upstream === undefined && this.#flags.length === 0 && this.#denial === undefined) {
      // The client left before anybody answered.
      this.#flags.push('DC');
    }
    this.#connecting?.cancel();
    this.#admission?.cancel();
    const info = this.#info;
    this.#settings.record(
      tcpRecord({
        proxy: this.#settings.proxyId,
        startTime: this.#startTime,
        duration: performance.now() - this.#started,
        direction: info.direction,
        flags: this.#flags.length === 0 ? '-' : this.#flags.join(','),
        details: this.#denial?.details ?? '',
        terminationDetails: this.#denial?.terminationDetails ?? '',
        upstreamTransportFailure: this.#failure,
        bytesReceived: this.#received,
        bytesSent: this.#sent,
        upstreamHost: this.#host?.address ?? '',
        upstreamCluster: this.#cluster?.name ?? '',
        upstreamLocalAddress: this.#upstreamLocal,
        downstreamLocalAddress: info.localAddress,
        downstreamRemoteAddress: info.remoteAddress,
        sni: info.sni ?? '',
        attempts: this.#attempts,
        ...(info.tls?.peer?.uriSans[0] !== undefined && { peerPrincipal: info.tls.peer.uriSans[0] }),
      }),
      info.tls,
      this.#admission?.metadata,
    );
  }
}
