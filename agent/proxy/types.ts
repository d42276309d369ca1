/**
 * The contract between the parts of the embedded proxy: listeners and HTTP on one side, upstream on the other.
 *
 * Header lists are flat, `[name, value, name, value, …]`, names in lower case, order and repetitions kept: the form that
 * node:http (rawHeaders) and undici take without conversion.
 */

import type { Duplex } from 'node:stream';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { CommonTls } from './tls/common-context.ts';

export type RawHeaders = string[];

/** Envoy's response flags that the upstream side can cause. */
export type UpstreamFlag = 'UH' | 'UF' | 'UO' | 'UC' | 'UR' | 'UPE' | 'UT' | 'NC' | 'DF';

/** Why an upstream stream ended without a whole response. */
export interface ResetReason {
  kind:
    | 'connect-failure'
    | 'connect-timeout'
    | 'overflow'
    | 'connection-termination'
    | 'remote-reset'
    | 'remote-refused'
    | 'protocol-error'
    | 'local-reset';
  flag: UpstreamFlag;
  /** Envoy's `upstream_transport_failure_reason`, as in `delayed_connect_error:_Connection_refused`. */
  detail: string;
}

/** One address of a cluster. Identity is stable across updates that keep the address. */
export interface Host {
  readonly cluster: string;
  /** `10.0.0.1:80`, `[::1]:80` or a unix path: what `%UPSTREAM_HOST%` shows. */
  readonly address: string;
  readonly hostname: string;
  readonly weight: number;
  readonly priority: number;
  readonly locality: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What a balancer may look at. */
export interface LoadBalancerContext {
  /** From the route's hash policies, unsigned 64 bit. */
  hash?: bigint;
  /** Subset selection: `metadata_match.filter_metadata["envoy.lb"]`. */
  metadataMatch?: Readonly<Record<string, unknown>>;
  /** Original destination (ORIGINAL_DST clusters), `ip:port`. */
  originalDestination?: string;
  /** `:authority`, for dynamic forward proxy clusters. */
  authority?: string;
  /** Hosts that earlier attempts used (retry_host_predicate previous_hosts). */
  avoid?: ReadonlySet<Host>;
  /** How often to choose again when a host is to be avoided (host_selection_retry_max_attempts). */
  maxReselections?: number;
  /** Priorities that earlier attempts used (retry_priorities.previous_priorities). */
  avoidPriorities?: ReadonlySet<number>;
}

export interface UpstreamRequest {
  method: string;
  /** `http` or `https`: HTTP/2 says so upstream. */
  scheme?: string;
  /** Path and query. */
  path: string;
  /** Without pseudo headers; `host` carries the authority. */
  headers: RawHeaders;
  /** No body will follow: `endStream` was set with the headers. */
  endStream: boolean;
  /** Ask for a switch of protocols (WebSocket): `onUpgrade` instead of `onHeaders` when the upstream agrees. */
  upgrade?: string;
  /** The downstream's protocol, for use_downstream_protocol_config. */
  downstreamProtocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2';
}

/** Called in this order: onConnected?, onInformational*, (onHeaders, onData*, onTrailers?, onEnd) or onUpgrade; onReset at any time, then nothing more. */
export interface UpstreamHandler {
  /** A connection was there for it: the host counts as used from here on. */
  onConnected?(host: Host, localAddress: string): void;
  onInformational?(status: number, headers: RawHeaders): void;
  onHeaders(status: number, headers: RawHeaders): void;
  /** Return false to stop reading until `resume`. The chunk may be kept. */
  onData(chunk: Buffer): boolean;
  onTrailers?(trailers: RawHeaders): void;
  onEnd(): void;
  onUpgrade?(status: number, headers: RawHeaders, socket: Duplex): void;
  onReset(reason: ResetReason): void;
  /** It takes more body, after `write` returned false. A method, not a function that each stream is given: see docs/decisions.md. */
  onDrain?(): void;
}

/** One request on its way to a host. */
export interface UpstreamStream {
  /** False: stop writing until the handler's `onDrain` is called. */
  write(chunk: Buffer): boolean;
  end(trailers?: RawHeaders): void;
  resume(): void;
  /** Abandon it. `timeout` counts against the host as a gateway failure (Envoy: upstream_rq_timeout, 504 for outlier detection). */
  cancel(why: 'downstream' | 'timeout' | 'per-try-timeout' | 'retry' | 'idle'): void;
}

/** One cluster of the config, alive. */
export interface Cluster {
  readonly name: string;
  readonly config: ClusterJson;
  /** True when the upstream speaks HTTP/2 (explicit or by downstream's protocol). */
  isHttp2(downstream: UpstreamRequest['downstreamProtocol']): boolean;
  /** undefined: no healthy host (flag UH). */
  chooseHost(context: LoadBalancerContext): Host | undefined;
  /** Sends a request to a host. Circuit breakers (connections, pending, requests) answer with onReset overflow, never throw. */
  request(host: Host, request: UpstreamRequest, handler: UpstreamHandler): UpstreamStream;
  /** A raw connection for tcp_proxy and CONNECT; counts against max_connections. */
  connect(
    host: Host,
    on: { connected(socket: Duplex & { localAddress?: string }): void; failed(reason: ResetReason): void },
    /** The client's connection, `ip:port` each, for clusters that tell their hosts (PROXY protocol). */
    downstream?: { source: string; destination: string },
  ): { cancel(): void };
  /** Retry circuit breaker and budget: false when no more retries may run. Each true must be answered by endRetry. */
  tryRetry(): boolean;
  endRetry(): void;
  /**
   * The final word on a response for outlier detection and cluster stats (Envoy: upstream_rq_<code>, canary excluded). One that is
   * `retried` counts under `retry.upstream_rq_<code>` instead. Outlier detection goes by `grpcStatus`, where the headers have one.
   */
  recordResponse(host: Host, status: number, durationMs: number, retried?: boolean, grpcStatus?: number): void;
  stats: ClusterStats;
}

/** Counters that the HTTP side bumps; the upstream side bumps the rest itself. */
export interface ClusterStats {
  counter(name: string): Counter;
  gauge(name: string): Gauge;
  histogram(name: string): Histogram;
}

export interface Counter {
  value: number;
  inc(n?: number): void;
}

export interface Gauge {
  value: number;
  inc(n?: number): void;
  dec(n?: number): void;
  set(n: number): void;
}

/** Values are milliseconds or bytes, as Envoy's. */
export interface Histogram {
  record(value: number): void;
}

/** All stats of one proxy, by Envoy's names (`cluster.outbound|80||x;.upstream_rq_total`). */
export interface StatsRegistry {
  counter(name: string): Counter;
  gauge(name: string): Gauge;
  histogram(name: string): Histogram;
  /** All stats under `<prefix>.` removed (a cluster or listener is gone). */
  remove(prefix: string): void;
}

/** Owns the clusters of one proxy. */
export interface ClusterManager {
  get(name: string): Cluster | undefined;
  /** Applies a whole new set. Clusters whose config is unchanged keep their hosts, connections, ejections and stats. */
  update(clusters: readonly ClusterJson[], endpoints: readonly ClusterLoadAssignmentJson[]): void;
  /** TLS towards hosts, for all clusters that have any. */
  tlsContexts(): readonly CommonTls[];
  /** Envoy's `/clusters?format=json` (ClustersJson of envoy.admin.v3, camelCase). */
  dump(): unknown;
  /** Every connection is closed. Idempotent. */
  close(): Promise<void>;
}
