/** A ClusterManager of a few lines over undici, HTTP/1 only: what the downstream half needs to be seen working by itself. */
import { connect } from 'node:net';
import { Pool } from 'undici';
import { createStatsRegistry } from '../../../agent/proxy/stats/registry.ts';
import type {
  Cluster,
  ClusterManager,
  Host,
  RawHeaders,
  ResetReason,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamStream,
} from '../../../agent/proxy/types.ts';

export interface SimpleCluster {
  name: string;
  /** `127.0.0.1:80` each; empty: no healthy host. */
  hosts: string[];
  overflow?: boolean;
}

export function simpleClusters(clusters: SimpleCluster[]): ClusterManager & { retries: number } {
  const pools = new Map<string, Pool>();
  const stats = createStatsRegistry();
  const manager = {
    retries: 0,
    get(name: string): Cluster | undefined {
      return known.get(name);
    },
    update(): void {},
    updateEndpoints(): void {},
    dump: () => ({}),
    async close(): Promise<void> {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
  const known = new Map(clusters.map((cluster) => [cluster.name, make(cluster)]));

  function make(simple: SimpleCluster): Cluster {
    let next = 0;
    const hosts = (): Host[] =>
      simple.hosts.map((address) => ({ cluster: simple.name, address, hostname: '', weight: 1, priority: 0, locality: '', metadata: {} }));
    return {
      name: simple.name,
      config: { name: simple.name },
      isHttp2: () => false,
      chooseHost({ avoid, maxReselections }) {
        const all = hosts();
        let host = all[next++ % Math.max(1, all.length)];
        for (
          let i = 0;
          i < (maxReselections ?? 0) && host !== undefined && [...(avoid ?? [])].some((h) => h.address === host!.address);
          i++
        )
          host = all[next++ % all.length];
        return host;
      },
      request: (host, request, handler) => send(host, request, handler, simple),
      connect(host, on) {
        const [ip, port] = host.address.split(':') as [string, string];
        const socket = connect({ host: ip, port: Number(port), allowHalfOpen: true });
        socket.once('connect', () => on.connected(socket as never));
        socket.once('error', () => on.failed({ kind: 'connect-failure', flag: 'UF', detail: 'delayed_connect_error:_Connection_refused' }));
        return { cancel: () => socket.destroy() };
      },
      tryRetry: () => ++manager.retries < 1000,
      endRetry() {},
      recordResponse() {},
      stats: {
        counter: (name) => stats.counter(`cluster.${simple.name}.${name}`),
        gauge: (name) => stats.gauge(`cluster.${simple.name}.${name}`),
        histogram: (name) => stats.histogram(`cluster.${simple.name}.${name}`),
      },
    };
  }

  function poolFor(address: string): Pool {
    let pool = pools.get(address);
    if (pool === undefined) {
      pool = new Pool(`http://${address}`, { connections: 256, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
      pools.set(address, pool);
    }
    return pool;
  }

  function send(host: Host, request: UpstreamRequest, handler: UpstreamHandler, simple: SimpleCluster): UpstreamStream {
    const body = request.endStream ? undefined : new Body();
    let abort: (() => void) | undefined;
    let resume = (): void => {};
    let over = false;
    const reset = (reason: ResetReason): void => {
      if (over) return;
      over = true;
      handler.onReset(reason);
    };
    const stream: UpstreamStream = {
      onDrain: undefined,
      write: (chunk) => body!.push(chunk),
      end: () => body!.end(),
      resume: () => resume(),
      cancel() {
        over = true;
        abort?.();
      },
    };
    if (body !== undefined) body.onDrain = () => stream.onDrain?.();
    if (simple.overflow === true) {
      reset({ kind: 'overflow', flag: 'UO', detail: '' });
      return stream;
    }
    const options = {
      path: request.path,
      method: request.method as 'GET',
      headers: request.headers,
      body: body ?? null,
      ...(request.upgrade !== undefined && { upgrade: request.upgrade }),
    };
    poolFor(host.address).dispatch(
      options as never,
      {
        onRequestStart(c: Controller) {
          abort = () => c.abort(new Error('cancelled'));
          resume = () => c.resume();
          if (over) return abort();
          handler.onConnected?.(host, '');
        },
        onRequestUpgrade(c: Controller, status: number, _headers: object, socket: never) {
          over = true;
          handler.onUpgrade?.(status, flat(c.rawHeaders), socket);
        },
        onResponseStart(c: Controller, status: number) {
          if (over) return;
          if (status < 200) handler.onInformational?.(status, flat(c.rawHeaders));
          else handler.onHeaders(status, flat(c.rawHeaders));
        },
        onResponseData(c: Controller, chunk: Buffer) {
          if (!over && !handler.onData(Buffer.from(chunk))) c.pause();
        },
        onResponseEnd() {
          if (over) return;
          over = true;
          handler.onEnd();
        },
        onResponseError(_c: Controller, error: NodeJS.ErrnoException) {
          if (error.code === 'ECONNREFUSED')
            reset({ kind: 'connect-failure', flag: 'UF', detail: 'delayed_connect_error:_Connection_refused' });
          else reset({ kind: 'connection-termination', flag: 'UC', detail: '' });
        },
      } as never,
    );
    return stream;
  }
  return manager as ClusterManager & { retries: number };
}

/** undici takes a request's body as an async iterable. */
class Body implements AsyncIterable<Buffer> {
  onDrain: (() => void) | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  push(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#wake?.();
    return this.#bytes < 65_536;
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        const blocked = this.#bytes >= 65_536;
        this.#bytes -= chunk.length;
        yield chunk;
        if (blocked && this.#bytes < 65_536) this.onDrain?.();
      } else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

interface Controller {
  rawHeaders: Buffer[];
  abort(reason: Error): void;
  pause(): void;
  resume(): void;
}

function flat(headers: Buffer[]): RawHeaders {
  return headers.map((part, i) => (i % 2 === 0 ? part.toString('latin1').toLowerCase() : part.toString('latin1')));
}
