import type { HealthStatusJson } from '#envoy-api/envoy/config/core/v3/health_check_pb.js';
import type { Dial } from '../../../src/upstream/dial.ts';
import type { HostSpec } from '../../../src/upstream/endpoint-specs.ts';
import type { Host } from '../types.ts';
import type { OutlierMonitor } from './outlier/monitor.ts';
import type { HostPools } from './pool/host-pools.ts';
import type { Transport } from './transports.ts';

/** Numbers of one host, by the names of Envoy's `/clusters`. */
export class HostStats {
  cxActive = 0;
  cxTotal = 0;
  cxConnectFail = 0;
  rqActive = 0;
  rqPendingActive = 0;
  rqTotal = 0;
  rqError = 0;
  rqSuccess = 0;
  rqTimeout = 0;
}

/** One address of a cluster with its connections, health and numbers. Kept across updates that keep the address. */
export class UpstreamHost implements Host {
  readonly cluster: string;
  address: string;
  dial: Dial;
  hostname: string;
  weight: number;
  priority: number;
  region: string;
  zone: string;
  subZone: string;
  localityWeight: number | undefined;
  edsHealth: HealthStatusJson;
  metadata: Readonly<Record<string, unknown>>;
  /** Ejected by outlier detection. */
  ejected = false;
  /** No longer part of its cluster: connections end when their requests do. */
  removed = false;
  /** When it became healthy for the first time, by the cluster's clock: slow start counts from there. */
  healthySince: number | undefined;
  monitor: OutlierMonitor | undefined;
  pools: HostPools | undefined;
  /** By the server name that their TLS asks for, where requests choose it (auto_sni). */
  namedPools: Map<string, HostPools> | undefined;
  /** How connections to it are made, and the metadata that said so. */
  transport: Transport | undefined;
  transportMetadata: Readonly<Record<string, unknown>> | undefined;
  readonly stats = new HostStats();

  constructor(cluster: string, spec: HostSpec) {
    this.cluster = cluster;
    this.address = spec.address;
    this.dial = spec.dial;
    this.hostname = spec.hostname;
    this.weight = spec.weight;
    this.priority = spec.priority;
    this.region = spec.region;
    this.zone = spec.zone;
    this.subZone = spec.subZone;
    this.localityWeight = spec.localityWeight;
    this.edsHealth = spec.health;
    this.metadata = spec.metadata;
  }

  get locality(): string {
    return this.subZone !== ''
      ? `${this.region}/${this.zone}/${this.subZone}`
      : this.zone !== ''
        ? `${this.region}/${this.zone}`
        : this.region;
  }

  /** Takes over what an update says. True when anything changed that a balancer looks at. */
  assign(spec: HostSpec): boolean {
    const changed =
      this.weight !== spec.weight ||
      this.priority !== spec.priority ||
      this.region !== spec.region ||
      this.zone !== spec.zone ||
      this.subZone !== spec.subZone ||
      this.localityWeight !== spec.localityWeight ||
      this.edsHealth !== spec.health;
    this.dial = spec.dial;
    this.hostname = spec.hostname;
    this.weight = spec.weight;
    this.priority = spec.priority;
    this.region = spec.region;
    this.zone = spec.zone;
    this.subZone = spec.subZone;
    this.localityWeight = spec.localityWeight;
    this.edsHealth = spec.health;
    this.metadata = spec.metadata;
    return changed;
  }

  /** Envoy: Host::coarseHealth. */
  get health(): 'healthy' | 'degraded' | 'unhealthy' {
    if (this.ejected) return 'unhealthy';
    switch (this.edsHealth) {
      case 'UNHEALTHY':
      case 'DRAINING':
      case 'TIMEOUT':
        return 'unhealthy';
      case 'DEGRADED':
        return 'degraded';
      default:
        return 'healthy';
    }
  }

  /** Envoy: hosts that drain do not count when the share of healthy ones is taken. */
  get excluded(): boolean {
    return this.edsHealth === 'DRAINING';
  }
}
