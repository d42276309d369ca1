import type { Counter, Gauge, Histogram, StatsRegistry } from '../types.ts';

/** A connection manager's stats, under `http.<stat_prefix>.`; looked up once. */
export interface HttpStats {
  readonly cxTotal: Counter;
  readonly cxActive: Gauge;
  readonly cxHttp1Total: Counter;
  readonly cxHttp1Active: Gauge;
  readonly cxHttp2Total: Counter;
  readonly cxHttp2Active: Gauge;
  readonly cxProtocolError: Counter;
  readonly cxIdleTimeout: Counter;
  readonly cxMaxDuration: Counter;
  readonly cxMaxRequests: Counter;
  readonly cxDrainClose: Counter;
  readonly cxDestroyRemoteActive: Counter;
  readonly cxUpgradesTotal: Counter;
  readonly cxUpgradesActive: Gauge;
  readonly cxLength: Histogram;
  readonly rqTotal: Counter;
  readonly rqActive: Gauge;
  readonly rqHttp1: Counter;
  readonly rqHttp2: Counter;
  readonly rqCompleted: Counter;
  /** By the status' first digit. */
  readonly rqClass: readonly (Counter | undefined)[];
  readonly rqTime: Histogram;
  readonly rqTimeout: Counter;
  readonly rqHeaderTimeout: Counter;
  readonly rqIdleTimeout: Counter;
  readonly rqMaxDuration: Counter;
  readonly rqRxReset: Counter;
  readonly rqTxReset: Counter;
  readonly rqNonRelativePath: Counter;
  readonly rqRejectedUpgrade: Counter;
  readonly rqPathRejected: Counter;
  /** The router's. */
  readonly routerTotal: Counter;
  readonly noRoute: Counter;
  readonly noCluster: Counter;
  readonly redirect: Counter;
  readonly directResponse: Counter;
  readonly resetAfterStart: Counter;
  /** `listener.<address>.http.<stat_prefix>.` */
  readonly listenerCompleted: Counter;
  readonly listenerClass: readonly (Counter | undefined)[];
}

/** Envoy's names: HTTP connection manager statistics, router filter statistics. */
export function createHttpStats(registry: StatsRegistry, statPrefix: string, listenerPrefix: string): HttpStats {
  const p = `http.${statPrefix}.`;
  const l = `${listenerPrefix}.http.${statPrefix}.`;
  const counter = (name: string): Counter => registry.counter(p + name);
  const gauge = (name: string): Gauge => registry.gauge(p + name);
  const classes = (prefix: string): (Counter | undefined)[] => [
    undefined,
    ...[1, 2, 3, 4, 5].map((n) => registry.counter(`${prefix}downstream_rq_${n}xx`)),
  ];
  return {
    cxTotal: counter('downstream_cx_total'),
    cxActive: gauge('downstream_cx_active'),
    cxHttp1Total: counter('downstream_cx_http1_total'),
    cxHttp1Active: gauge('downstream_cx_http1_active'),
    cxHttp2Total: counter('downstream_cx_http2_total'),
    cxHttp2Active: gauge('downstream_cx_http2_active'),
    cxProtocolError: counter('downstream_cx_protocol_error'),
    cxIdleTimeout: counter('downstream_cx_idle_timeout'),
    cxMaxDuration: counter('downstream_cx_max_duration_reached'),
    cxMaxRequests: counter('downstream_cx_max_requests_reached'),
    cxDrainClose: counter('downstream_cx_drain_close'),
    cxDestroyRemoteActive: counter('downstream_cx_destroy_remote_active_rq'),
    cxUpgradesTotal: counter('downstream_cx_upgrades_total'),
    cxUpgradesActive: gauge('downstream_cx_upgrades_active'),
    cxLength: registry.histogram(`${p}downstream_cx_length_ms`),
    rqTotal: counter('downstream_rq_total'),
    rqActive: gauge('downstream_rq_active'),
    rqHttp1: counter('downstream_rq_http1_total'),
    rqHttp2: counter('downstream_rq_http2_total'),
    rqCompleted: counter('downstream_rq_completed'),
    rqClass: classes(p),
    rqTime: registry.histogram(`${p}downstream_rq_time`),
    rqTimeout: counter('downstream_rq_timeout'),
    rqHeaderTimeout: counter('downstream_rq_header_timeout'),
    rqIdleTimeout: counter('downstream_rq_idle_timeout'),
    rqMaxDuration: counter('downstream_rq_max_duration_reached'),
    rqRxReset: counter('downstream_rq_rx_reset'),
    rqTxReset: counter('downstream_rq_tx_reset'),
    rqNonRelativePath: counter('downstream_rq_non_relative_path'),
    rqRejectedUpgrade: counter('downstream_rq_ws_on_non_ws_route'),
    rqPathRejected: counter('downstream_rq_failed_path_normalization'),
    routerTotal: counter('rq_total'),
    noRoute: counter('no_route'),
    noCluster: counter('no_cluster'),
    redirect: counter('rq_redirect'),
    directResponse: counter('rq_direct_response'),
    resetAfterStart: counter('rq_reset_after_downstream_response_started'),
    listenerCompleted: registry.counter(`${l}downstream_rq_completed`),
    listenerClass: classes(l),
  };
}
