import type { ClusterStats, Counter, Gauge, Histogram, StatsRegistry } from '../types.ts';

/** A cluster's stats under `cluster.<prefix>.`. */
export function createClusterStats(registry: StatsRegistry, prefix: string): ClusterStats {
  const start = `cluster.${prefix}.`;
  return {
    counter: (name) => registry.counter(start + name),
    gauge: (name) => registry.gauge(start + name),
    histogram: (name) => registry.histogram(start + name),
  };
}

/** What traffic changes, looked up once a cluster. Made at the first request, as Istio has Envoy do it (deferred creation). */
export class TrafficStats {
  readonly cxTotal: Counter;
  readonly cxActive: Gauge;
  readonly cxHttp1Total: Counter;
  readonly cxHttp2Total: Counter;
  readonly cxConnectFail: Counter;
  readonly cxConnectTimeout: Counter;
  readonly cxConnectMs: Histogram;
  readonly cxLengthMs: Histogram;
  readonly cxDestroy: Counter;
  readonly cxDestroyLocal: Counter;
  readonly cxDestroyRemote: Counter;
  readonly cxDestroyWithActive: Counter;
  readonly cxDestroyLocalWithActive: Counter;
  readonly cxDestroyRemoteWithActive: Counter;
  readonly cxIdleTimeout: Counter;
  readonly cxMaxDuration: Counter;
  readonly cxMaxRequests: Counter;
  readonly cxOverflow: Counter;
  readonly cxProtocolError: Counter;
  readonly cxCloseNotify: Counter;
  readonly cxNoneHealthy: Counter;
  readonly cxRxBytes: Counter;
  readonly cxTxBytes: Counter;
  readonly rqTotal: Counter;
  readonly rqActive: Gauge;
  readonly rqCompleted: Counter;
  readonly rqPendingTotal: Counter;
  readonly rqPendingActive: Gauge;
  readonly rqPendingOverflow: Counter;
  readonly rqPendingFailureEject: Counter;
  readonly rqActiveOverflow: Counter;
  readonly rqCancelled: Counter;
  readonly rqTxReset: Counter;
  readonly rqRxReset: Counter;
  readonly rqRetryOverflow: Counter;
  readonly rqPerCx: Histogram;
  readonly rqTime: Histogram;
  readonly flowPaused: Counter;
  readonly flowResumed: Counter;
  readonly #stats: ClusterStats;
  readonly #codes: (Counter | undefined)[] = [];
  readonly #classes: (Counter | undefined)[] = [];

  constructor(stats: ClusterStats) {
    this.#stats = stats;
    const counter = (name: string): Counter => stats.counter(`upstream_${name}`);
    this.cxTotal = counter('cx_total');
    this.cxActive = stats.gauge('upstream_cx_active');
    this.cxHttp1Total = counter('cx_http1_total');
    this.cxHttp2Total = counter('cx_http2_total');
    this.cxConnectFail = counter('cx_connect_fail');
    this.cxConnectTimeout = counter('cx_connect_timeout');
    this.cxConnectMs = stats.histogram('upstream_cx_connect_ms');
    this.cxLengthMs = stats.histogram('upstream_cx_length_ms');
    this.cxDestroy = counter('cx_destroy');
    this.cxDestroyLocal = counter('cx_destroy_local');
    this.cxDestroyRemote = counter('cx_destroy_remote');
    this.cxDestroyWithActive = counter('cx_destroy_with_active_rq');
    this.cxDestroyLocalWithActive = counter('cx_destroy_local_with_active_rq');
    this.cxDestroyRemoteWithActive = counter('cx_destroy_remote_with_active_rq');
    this.cxIdleTimeout = counter('cx_idle_timeout');
    this.cxMaxDuration = counter('cx_max_duration_reached');
    this.cxMaxRequests = counter('cx_max_requests');
    this.cxOverflow = counter('cx_overflow');
    this.cxProtocolError = counter('cx_protocol_error');
    this.cxCloseNotify = counter('cx_close_notify');
    this.cxNoneHealthy = counter('cx_none_healthy');
    this.cxRxBytes = counter('cx_rx_bytes_total');
    this.cxTxBytes = counter('cx_tx_bytes_total');
    this.rqTotal = counter('rq_total');
    this.rqActive = stats.gauge('upstream_rq_active');
    this.rqCompleted = counter('rq_completed');
    this.rqPendingTotal = counter('rq_pending_total');
    this.rqPendingActive = stats.gauge('upstream_rq_pending_active');
    this.rqPendingOverflow = counter('rq_pending_overflow');
    this.rqPendingFailureEject = counter('rq_pending_failure_eject');
    this.rqActiveOverflow = counter('rq_active_overflow');
    this.rqCancelled = counter('rq_cancelled');
    this.rqTxReset = counter('rq_tx_reset');
    this.rqRxReset = counter('rq_rx_reset');
    this.rqRetryOverflow = counter('rq_retry_overflow');
    this.rqPerCx = stats.histogram('upstream_rq_per_cx');
    this.rqTime = stats.histogram('upstream_rq_time');
    this.flowPaused = counter('flow_control_paused_reading_total');
    this.flowResumed = counter('flow_control_resumed_reading_total');
    // Envoy prints these from the start; the router counts them.
    for (const name of ['rq_retry', 'rq_retry_success', 'rq_retry_limit_exceeded', 'rq_timeout', 'rq_per_try_timeout']) counter(name);
  }

  /** Counts a response: `upstream_rq_<code>`, `upstream_rq_<n>xx`, `upstream_rq_completed`. */
  response(status: number): void {
    this.rqCompleted.value++;
    let code = this.#codes[status];
    if (code === undefined) {
      code = this.#stats.counter(`upstream_rq_${status}`);
      this.#codes[status] = code;
    }
    code.value++;
    const first = (status / 100) | 0;
    let byClass = this.#classes[first];
    if (byClass === undefined) {
      byClass = this.#stats.counter(`upstream_rq_${first}xx`);
      this.#classes[first] = byClass;
    }
    byClass.value++;
  }

  /** Counts a response that nobody gets, because its request is sent again: the same under `retry.`. */
  retriedResponse(status: number): void {
    this.#stats.counter('retry.upstream_rq_completed').inc();
    this.#stats.counter(`retry.upstream_rq_${status}`).inc();
    this.#stats.counter(`retry.upstream_rq_${(status / 100) | 0}xx`).inc();
  }
}
