import type { Socket } from 'node:net';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import { ProblemList } from '../../../src/routing/problems.ts';
import type { HostSpec } from '../../../src/upstream/endpoint-specs.ts';
import { endpointSpecs } from '../../../src/upstream/endpoint-specs.ts';
import { splitAddress } from '../../../src/upstream/host-address.ts';
import { type HttpOptions, httpOptions } from '../../../src/upstream/http-options.ts';
import { jsonNumber } from '../../../src/upstream/json-number.ts';
import { outlierConfig } from '../../../src/upstream/outlier-config.ts';
import { thresholdsOf } from '../../../src/upstream/thresholds.ts';
import type { TlsRequest } from '../tls/originate.ts';
import type { SecretStore } from '../tls/secret-store.ts';
import { createTlsStats } from '../tls/tls-stats.ts';
import type {
  Cluster,
  ClusterStats,
  Host,
  LoadBalancerContext,
  ResetReason,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamStream,
} from '../types.ts';
import { type AutoNames, autoNames } from './auto-names.ts';
import { pickerFactory } from './balancers/from-config.ts';
import { LoadBalancer } from './balancers/load-balancer.ts';
import { CircuitBreakers } from './circuit-breakers.ts';
import { TrafficStats } from './cluster-stats.ts';
import { type DnsTargets, startDnsTargets } from './discovery/dns-targets.ts';
import { type OnDemandHosts, onDemandHosts } from './discovery/on-demand-hosts.ts';
import type { Resolver } from './discovery/resolver.ts';
import type { UpstreamHost } from './host.ts';
import { HostList } from './host-list.ts';
import { namedPools, poolsOf, transportOf } from './host-transport.ts';
import { createMembershipStats, type MembershipStats } from './membership-stats.ts';
import { OutlierDetector } from './outlier/detector.ts';
import { httpStatusOfGrpc } from './outlier/grpc-status.ts';
import { HostPools } from './pool/host-pools.ts';
import type { SocketOptions } from './pool/open-socket.ts';
import type { PoolOwner } from './pool/pool-owner.ts';
import type { ProxiedAddresses } from './pool/proxy-protocol-header.ts';
import { connectTcp } from './pool/tcp-connection.ts';
import { socketOptions } from './socket-options.ts';
import { compileTransports, type Transports } from './transports.ts';

export interface ClusterDeps {
  secrets: SecretStore;
  stats: ClusterStats;
  resolver: Resolver;
  now(): number;
  random(): number;
  log(level: 'info' | 'warning' | 'error', message: string): void;
}

/** One cluster, alive: its hosts, who of them gets the next request, and the connections to them. */
export class UpstreamCluster implements Cluster, PoolOwner {
  readonly name: string;
  readonly config: ClusterJson;
  readonly stats: ClusterStats;
  readonly breakers: CircuitBreakers;
  readonly http: HttpOptions;
  readonly transports: Transports | undefined;
  readonly #socketOptions: SocketOptions;
  readonly #autoNames: AutoNames | undefined;
  /** Of hosts that are connected in another way now. */
  readonly #leaving = new Set<HostPools>();
  readonly hosts: HostList;
  readonly rawSockets = new Set<Socket>();
  readonly detector: OutlierDetector | undefined;
  readonly #deps: ClusterDeps;
  readonly #balancer: LoadBalancer;
  readonly #membership: MembershipStats;
  readonly #onDemand: OnDemandHosts | undefined;
  readonly #lastUse = new Map<UpstreamHost, number>();
  #traffic: TrafficStats | undefined;
  #dns: DnsTargets | undefined;
  #timers: NodeJS.Timeout[] = [];
  #closed = false;

  constructor(config: ClusterJson, deps: ClusterDeps) {
    this.name = config.name ?? '';
    this.config = config;
    this.stats = deps.stats;
    this.#deps = deps;
    this.http = httpOptions(config);
    this.#socketOptions = socketOptions(config);
    if (config.transportSocket !== undefined || (config.transportSocketMatches ?? []).length > 0) {
      const tlsStats = createTlsStats((name) => this.stats.counter(name));
      // What is wrong with it was said by checkCluster.
      this.transports = compileTransports(config, new ProblemList(), { secrets: deps.secrets, stats: tlsStats });
      if (this.transports.all.some(({ tls }) => tls !== undefined)) this.#autoNames = autoNames(config);
    }
    this.breakers = new CircuitBreakers(thresholdsOf(config.circuitBreakers, 'DEFAULT'), deps.stats);
    this.hosts = new HostList(this.name);
    this.#membership = createMembershipStats(deps.stats);
    const { make, hashes } = pickerFactory(config, deps);
    this.#balancer = new LoadBalancer({
      make,
      hashes,
      weighLocalities: config.commonLbConfig?.localityWeightedLbConfig !== undefined,
      panicThreshold: panicThreshold(config),
      panicked: deps.stats.counter('lb_healthy_panic'),
      random: deps.random,
    });
    if (config.outlierDetection !== undefined) {
      const outlier = outlierConfig(config.outlierDetection);
      this.detector = new OutlierDetector(outlier, { ...deps, changed: () => this.#healthChanged() });
      this.#every(outlier.interval, () => this.detector!.onInterval());
    }
    this.#onDemand = onDemandHosts(config);
    if (this.#onDemand !== undefined) this.#every(this.#onDemand.unusedFor, () => this.#dropUnused());
    else if (config.type === 'STRICT_DNS' || config.type === 'LOGICAL_DNS') this.#startDns();
    else if (config.type !== 'EDS') this.assign(config.loadAssignment);
  }

  /** Made when traffic begins. */
  get traffic(): TrafficStats {
    this.#traffic ??= new TrafficStats(this.stats);
    return this.#traffic;
  }

  /** `edsClusterConfig.serviceName`, or the name: what its load assignment is called. */
  get assignmentName(): string {
    return this.config.edsClusterConfig?.serviceName || this.name;
  }

  /** Takes a load assignment: hosts that stay keep connections, ejection and numbers. */
  assign(assignment: ClusterLoadAssignmentJson | undefined): void {
    this.#membership.attempt.inc();
    this.#membership.success.inc();
    this.#setHosts(endpointSpecs(assignment), {
      overprovisioning: jsonNumber(assignment?.policy?.overprovisioningFactor, 140),
      weightedPriorityHealth: assignment?.policy?.weightedPriorityHealth ?? false,
    });
  }

  isHttp2(downstream: UpstreamRequest['downstreamProtocol']): boolean {
    const { protocol } = this.http;
    return protocol === 'http2' || (protocol === 'downstream' && downstream === 'HTTP/2');
  }

  chooseHost(context: LoadBalancerContext): Host | undefined {
    const host = this.#onDemand === undefined ? this.#balancer.choose(context) : this.#demand(this.#onDemand, context);
    if (host === undefined) this.traffic.cxNoneHealthy.inc();
    return host;
  }

  request(host: Host, request: UpstreamRequest, handler: UpstreamHandler): UpstreamStream {
    const names = this.#autoNames?.(request);
    const pools = names === undefined ? this.#pools(host as UpstreamHost) : namedPools(this, this.#usable(host as UpstreamHost), names);
    return (this.isHttp2(request.downstreamProtocol) ? pools.http2 : pools.http1).request(request, handler);
  }

  connect(
    host: Host,
    on: { connected(socket: Socket): void; failed(reason: ResetReason): void },
    downstream?: { source: string; destination: string },
  ): { cancel(): void } {
    return connectTcp(this, host as UpstreamHost, on, proxiedAddresses(downstream));
  }

  tryRetry(): boolean {
    const may = this.breakers.tryRetry();
    if (!may) this.traffic.rqRetryOverflow.inc();
    return may;
  }

  endRetry(): void {
    this.breakers.endRetry();
  }

  recordResponse(host: Host, status: number, durationMs: number, retried = false, grpcStatus?: number): void {
    const { traffic } = this;
    const upstream = host as UpstreamHost;
    const outcome = grpcStatus === undefined ? status : httpStatusOfGrpc(grpcStatus);
    if (retried) traffic.retriedResponse(status);
    else {
      traffic.response(status);
      traffic.rqTime.record(durationMs);
    }
    if (retried || status >= 500 || outcome >= 500) upstream.stats.rqError++;
    else upstream.stats.rqSuccess++;
    upstream.monitor?.response(outcome);
  }

  /** Replaced or removed: requests in flight finish, then their connections end. */
  drain(): void {
    this.#stop();
    for (const host of this.hosts) this.#retire(host);
  }

  close(): void {
    this.#stop();
    for (const socket of this.rawSockets) socket.destroy(socket.connecting ? new Error('closed') : undefined);
    for (const host of this.hosts) {
      host.removed = true;
      for (const pools of poolsOf(host)) pools.close();
    }
    for (const pools of this.#leaving) pools.close();
  }

  #stop(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#dns?.close();
  }

  #every(ms: number, action: () => void): void {
    // Longer than a timer can wait is never.
    if (ms <= 2_147_483_647) this.#timers.push(setInterval(action, ms).unref());
  }

  /** From pools. */
  connectionOptions(host: UpstreamHost, request: TlsRequest): SocketOptions {
    if (this.transports === undefined) return this.#socketOptions;
    const { tls, proxyProtocol } = transportOf(host, this.transports, this.#leaving);
    return { ...this.#socketOptions, proxyProtocol, tls: tls && { origination: tls, request } };
  }

  #pools(host: UpstreamHost): HostPools {
    this.#usable(host).pools ??= new HostPools(this, host);
    return host.pools!;
  }

  #usable(host: UpstreamHost): UpstreamHost {
    if (this.transports !== undefined) transportOf(host, this.transports, this.#leaving);
    return host;
  }

  #startDns(): void {
    const { attempt, success, failure } = this.#membership;
    this.#dns = startDnsTargets(this.config, this.#deps.resolver, {
      attempt: () => attempt.inc(),
      success: () => success.inc(),
      failure: (name, error) => {
        failure.inc();
        this.#deps.log(
          'warning',
          `cluster ${this.name}: cannot resolve ${name}: ${error instanceof Error ? error.message : String(error)}`,
        );
      },
      hosts: (specs) => this.#setHosts(specs),
    });
  }

  #setHosts(specs: readonly HostSpec[], policy?: Parameters<LoadBalancer['update']>[1]): void {
    if (this.#closed) return;
    const [only] = this.hosts;
    const [spec] = specs;
    // Envoy: a logical DNS host stays itself when its address changes, and keeps its connections.
    if (this.config.type === 'LOGICAL_DNS' && only !== undefined && spec !== undefined && this.hosts.size === 1) {
      if (only.address !== spec.address) this.hosts.readdress(only, spec);
      return;
    }
    const { added, removed, changed } = this.hosts.replace(specs);
    for (const host of added) this.detector?.add(host);
    for (const host of removed) this.#retire(host);
    if (changed) this.#membership.change.inc();
    else this.#membership.noRebuild.inc();
    if (changed || policy !== undefined) this.#balancer.update(this.hosts, policy);
    this.#healthChanged(changed);
  }

  #healthChanged(membersChanged = false): void {
    const now = this.#deps.now();
    for (const host of this.hosts) if (host.healthySince === undefined && host.health === 'healthy') host.healthySince = now;
    this.#membership.show(this.hosts);
    if (!membersChanged) this.#balancer.update(this.hosts);
  }

  #retire(host: UpstreamHost): void {
    host.removed = true;
    this.detector?.remove(host);
    for (const pools of poolsOf(host)) pools.drain();
  }

  #demand(demand: OnDemandHosts, context: LoadBalancerContext): UpstreamHost | undefined {
    const spec = demand.specFor(context);
    if (spec === undefined) return undefined;
    let host = this.hosts.get(spec.address);
    if (host === undefined) {
      if (this.hosts.size >= demand.maxHosts) return undefined;
      host = this.hosts.add(spec);
      this.detector?.add(host);
      this.#membership.change.inc();
      this.#membership.show(this.hosts);
    }
    this.#lastUse.set(host, this.#deps.now());
    return host.ejected ? undefined : host;
  }

  #dropUnused(): void {
    const before = this.#deps.now() - this.#onDemand!.unusedFor;
    for (const host of this.hosts) {
      if (host.stats.rqActive + host.stats.rqPendingActive > 0 || (this.#lastUse.get(host) ?? 0) > before) continue;
      this.hosts.delete(host);
      this.#lastUse.delete(host);
      this.#retire(host);
      this.#membership.show(this.hosts);
    }
  }
}

/** Undefined when either is no address with a port. */
function proxiedAddresses(downstream: { source: string; destination: string } | undefined): ProxiedAddresses | undefined {
  const source = downstream && splitAddress(downstream.source);
  const destination = downstream && splitAddress(downstream.destination);
  if (source?.port === undefined || destination?.port === undefined) return undefined;
  return { sourceIp: source.host, sourcePort: source.port, destinationIp: destination.host, destinationPort: destination.port };
}

/** Percent; Envoy's default is 50, and `{}` (as Istio writes it) is 0: never. */
function panicThreshold(config: ClusterJson): number {
  const threshold = config.commonLbConfig?.healthyPanicThreshold;
  return threshold === undefined ? 50 : Math.min(100, Math.floor(Number(threshold.value ?? 0)));
}
