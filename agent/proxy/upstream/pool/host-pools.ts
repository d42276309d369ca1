import type { UpstreamHost } from '../host.ts';
import { Http1Pool } from './http1-pool.ts';
import { Http2Pool } from './http2-pool.ts';
import type { PoolOwner, TlsNames } from './pool-owner.ts';

/** The connections of one host, by protocol; a pool is made when it is first used. */
export class HostPools {
  readonly #owner: PoolOwner;
  readonly #host: UpstreamHost;
  #http1: Http1Pool | undefined;
  #http2: Http2Pool | undefined;

  readonly #names: TlsNames | undefined;

  constructor(owner: PoolOwner, host: UpstreamHost, names?: TlsNames) {
    this.#names = names;
    this.#owner = owner;
    this.#host = host;
  }

  get http1(): Http1Pool {
    this.#http1 ??= new Http1Pool(this.#owner, this.#host, this.#names);
    return this.#http1;
  }

  get http2(): Http2Pool {
    this.#http2 ??= new Http2Pool(this.#owner, this.#host, this.#names);
    return this.#http2;
  }

  /** Connections end when their requests do. */
  drain(): void {
    this.#http1?.drain();
    this.#http2?.drain();
  }

  /** All connections end now. */
  close(): void {
    this.#http1?.close();
    this.#http2?.close();
  }
}
