import type { Counter, Gauge, StatsRegistry } from '../types.ts';

/** `tcp.<stat_prefix>.*` */
export interface TcpStats {
  cxTotal: Counter;
  cxNoRoute: Counter;
  rxBytes: Counter;
  txBytes: Counter;
  paused: Counter;
  resumed: Counter;
  idleTimeout: Counter;
  maxDuration: Counter;
  flushTotal: Counter;
  flushActive: Gauge;
}

/** Envoy's names: TCP proxy statistics. */
export function createTcpStats(registry: StatsRegistry, prefix: string): TcpStats {
  const counter = (name: string): Counter => registry.counter(`tcp.${prefix}.${name}`);
  return {
    cxTotal: counter('downstream_cx_total'),
    cxNoRoute: counter('downstream_cx_no_route'),
    rxBytes: counter('downstream_cx_rx_bytes_total'),
    txBytes: counter('downstream_cx_tx_bytes_total'),
    paused: counter('downstream_flow_control_paused_reading_total'),
    resumed: counter('downstream_flow_control_resumed_reading_total'),
    idleTimeout: counter('idle_timeout'),
    maxDuration: counter('max_downstream_connection_duration'),
    flushTotal: counter('upstream_flush_total'),
    flushActive: registry.gauge(`tcp.${prefix}.upstream_flush_active`),
  };
}
