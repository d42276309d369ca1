import type { Socket } from 'node:net';
import type { TcpProxyJson } from '#envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import { FairleadError } from '../../../src/errors.ts';
import { xxHash64OfWire } from '../../../src/routing/xxhash64.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import { jsonNumber } from '../../../src/upstream/json-number.ts';
import { milliseconds } from '../../../src/upstream/milliseconds.ts';
import type { DownstreamTls } from '../tls/downstream-tls.ts';
import type { ClusterManager, StatsRegistry } from '../types.ts';
import type { Admission } from './admission.ts';
import { checkTcpProxy } from './check-tcp-proxy.ts';
import { TcpSession } from './tcp-session.ts';
import { createTcpStats, type TcpStats } from './tcp-stats.ts';

export interface TcpProxyDeps {
  /** What records are signed with; empty without one. */
  proxyId?: string;
  clusters: ClusterManager;
  stats: StatsRegistry;
  /** `metadata`: what filters found out, by their names. */
  record(record: RequestRecord, tls?: DownstreamTls, metadata?: Readonly<Record<string, unknown>>): void;
  log?(level: 'info' | 'warning' | 'error', message: string): void;
  /** In [0, 1); Math.random by default. */
  random?(): number;
}

/** What is known of a client's connection. */
export interface TcpConnectionInfo {
  sni?: string;
  /** `10.0.0.1:80`, `[::1]:80`. */
  localAddress: string;
  remoteAddress: string;
  originalDestination?: string | undefined;
  /** Bytes that were read of it already; they go first. */
  firstBytes?: Buffer;
  direction: RequestRecord['direction'];
  tls?: DownstreamTls | undefined;
}

/** A tcp_proxy's configuration, ready for use. Times are milliseconds, 0 for none. */
export interface TcpSettings {
  proxyId: string;
  clusters: ClusterManager;
  stats: TcpStats;
  record: TcpProxyDeps['record'];
  chooseCluster(): string;
  hashOf(info: TcpConnectionInfo): bigint | undefined;
  idleTimeout: number;
  maxDuration: number;
  maxAttempts: number;
}

/**
 * Joins TCP connections with upstreams: Envoy's tcp_proxy. The function takes a client's connection that nobody reads; where there is an
 * admission, no upstream hears of the client before it is admitted.
 *
 * @throws FairleadError E_CONFIG_REFUSED with what `checkTcpProxy` finds
 */
export function createTcpProxy(
  config: TcpProxyJson,
  deps: TcpProxyDeps,
): (socket: Socket, info: TcpConnectionInfo, admission?: Admission) => void {
  const problems = checkTcpProxy(config);
  if (problems.length > 0) throw new FairleadError('E_CONFIG_REFUSED', problems[0]!.message, { problems });
  const { clusters, stats, record, random = Math.random, proxyId = '' } = deps;
  const settings: TcpSettings = {
    proxyId,
    clusters,
    stats: createTcpStats(stats, config.statPrefix ?? ''),
    record,
    chooseCluster: clusterChoice(config, random),
    hashOf: (config.hashPolicy ?? []).some((p) => p.sourceIp !== undefined) ? sourceHash : () => undefined,
    idleTimeout: milliseconds(config.idleTimeout, 3_600_000),
    maxDuration: milliseconds(config.maxDownstreamConnectionDuration, 0),
    maxAttempts: Math.max(1, jsonNumber(config.maxConnectAttempts, 1)),
  };
  return (socket, info, admission) => {
    if (info.firstBytes !== undefined && info.firstBytes.length > 0) socket.unshift(info.firstBytes);
    new TcpSession(settings, socket, info, admission).start();
  };
}

/** Each weight is so many of the whole numbers below the total. */
function clusterChoice(config: TcpProxyJson, random: () => number): () => string {
  const clusters = config.weightedClusters?.clusters ?? [];
  if (clusters.length === 0) return () => config.cluster ?? '';
  const total = clusters.reduce((n, c) => n + (c.weight ?? 0), 0);
  return () => {
    let at = Math.floor(random() * total);
    for (const { name = '', weight = 0 } of clusters) {
      at -= weight;
      if (at < 0) return name;
    }
    return clusters[clusters.length - 1]!.name ?? '';
  };
}

/** Envoy: the client's address without its port. */
function sourceHash({ remoteAddress }: TcpConnectionInfo): bigint {
  const ip = remoteAddress.startsWith('[') ? remoteAddress.slice(1, remoteAddress.indexOf(']')) : remoteAddress.split(':')[0]!;
  return xxHash64OfWire(ip);
}
