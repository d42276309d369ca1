import { isIP } from 'node:net';
import type { Cluster_DnsLookupFamilyJson, ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { HostSpec } from '../../../../src/upstream/endpoint-specs.ts';
import { type EndpointSpec, endpointSpecs } from '../../../../src/upstream/endpoint-specs.ts';
import { hostAddress } from '../../../../src/upstream/host-address.ts';
import { milliseconds } from '../../../../src/upstream/milliseconds.ts';
import { startTimeout } from '../start-timeout.ts';
import type { Resolved, Resolver } from './resolver.ts';

/** What the cluster hears of its names. */
export interface DnsEvents {
  /** The addresses of all names, whenever any of them changed. */
  hosts(specs: HostSpec[]): void;
  attempt(): void;
  success(): void;
  failure(name: string, error: unknown): void;
}

/** Resolves what a cluster's load assignment names, again and again. */
export interface DnsTargets {
  close(): void;
}

/** Names are asked for again no sooner than this, whatever their time to live, milliseconds. */
const SHORTEST_REFRESH = 1000;

/**
 * STRICT_DNS: every address of every name is a host. LOGICAL_DNS: the first address of the one name is. A failed lookup
 * keeps what was found before.
 */
export function startDnsTargets(cluster: ClusterJson, resolve: Resolver, on: DnsEvents): DnsTargets {
  const logical = cluster.type === 'LOGICAL_DNS';
  const refresh = milliseconds(cluster.dnsRefreshRate, 5000);
  const failureBase = milliseconds(cluster.dnsFailureRefreshRate?.baseInterval, 0);
  const failureMax = milliseconds(cluster.dnsFailureRefreshRate?.maxInterval, failureBase * 10);
  const timers = new Map<EndpointSpec, NodeJS.Timeout | undefined>();
  const found = new Map<EndpointSpec, HostSpec[]>();
  let closed = false;
  const specs = endpointSpecs(cluster.loadAssignment);

  async function ask(spec: EndpointSpec, failures: number): Promise<void> {
    on.attempt();
    let next = refresh;
    let failed = 0;
    try {
      const { addresses, ttl } = await byFamily(
        resolve,
        spec.target!.host,
        cluster.dnsLookupFamily ?? 'AUTO',
        cluster.respectDnsTtl ?? false,
      );
      if (closed) return;
      if (addresses.length === 0) throw new Error('no addresses');
      if (cluster.respectDnsTtl && ttl !== undefined && ttl > 0) next = Math.max(ttl, SHORTEST_REFRESH);
      on.success();
      publish(spec, logical ? addresses.slice(0, 1) : addresses);
    } catch (error) {
      if (closed) return;
      failed = failures + 1;
      on.failure(spec.target!.host, error);
      if (failureBase > 0) next = Math.random() * Math.min(failureMax, failureBase * 2 ** failures);
    }
    timers.set(
      spec,
      startTimeout(() => void ask(spec, failed), next),
    );
  }

  function publish(spec: EndpointSpec, addresses: readonly string[]): void {
    const { port, host } = spec.target!;
    found.set(
      spec,
      addresses.map((ip) => ({
        ...spec,
        address: hostAddress(ip, port),
        dial: { kind: 'ip', ip, port },
        hostname: spec.hostname || host,
      })),
    );
    on.hosts(specs.flatMap((s) => found.get(s) ?? []));
  }

  for (const spec of specs) {
    // Addresses and pipes are what they are.
    if (spec.target === undefined || isIP(spec.target.host) !== 0) found.set(spec, [spec]);
    else void ask(spec, 0);
  }
  if (found.size > 0) on.hosts(specs.flatMap((s) => found.get(s) ?? []));
  return {
    close() {
      closed = true;
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}

/** Envoy: AUTO asks for IPv6 and falls back to IPv4, V4_PREFERRED the other way, ALL takes both. */
export async function byFamily(resolve: Resolver, name: string, family: Cluster_DnsLookupFamilyJson, wantTtl: boolean): Promise<Resolved> {
  switch (family) {
    case 'V4_ONLY':
      return resolve(name, 4, wantTtl);
    case 'V6_ONLY':
      return resolve(name, 6, wantTtl);
    case 'V4_PREFERRED':
      return orElse(resolve(name, 4, wantTtl), () => resolve(name, 6, wantTtl));
    case 'ALL': {
      const both = await Promise.allSettled([resolve(name, 6, wantTtl), resolve(name, 4, wantTtl)]);
      const answers = both.flatMap((b) => (b.status === 'fulfilled' ? [b.value] : []));
      if (answers.length === 0) throw (both[1] as PromiseRejectedResult).reason;
      const ttls = answers.flatMap((a) => (a.ttl === undefined ? [] : [a.ttl]));
      return { addresses: answers.flatMap((a) => a.addresses), ttl: ttls.length > 0 ? Math.min(...ttls) : undefined };
    }
    default:
      return orElse(resolve(name, 6, wantTtl), () => resolve(name, 4, wantTtl));
  }
}

async function orElse(first: Promise<Resolved>, second: () => Promise<Resolved>): Promise<Resolved> {
  const answer = await first.catch(() => undefined);
  return answer !== undefined && answer.addresses.length > 0 ? answer : second();
}
