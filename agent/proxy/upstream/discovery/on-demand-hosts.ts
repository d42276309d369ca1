import { isIP } from 'node:net';
import type { Cluster_DnsLookupFamilyJson, ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterConfigJson } from '#envoy-api/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.js';
import type { HostSpec } from '../../../../src/upstream/endpoint-specs.ts';
import { hostAddress, splitAddress } from '../../../../src/upstream/host-address.ts';
import { jsonNumber } from '../../../../src/upstream/json-number.ts';
import { milliseconds } from '../../../../src/upstream/milliseconds.ts';
import type { LoadBalancerContext } from '../../types.ts';

/** Names the host that a request itself says where to find: the cluster makes it when it is first needed. */
export interface OnDemandHosts {
  /** Undefined when the request does not say. */
  specFor(context: LoadBalancerContext): HostSpec | undefined;
  /** Hosts without connections that nobody asked for during this time are dropped, milliseconds. */
  readonly unusedFor: number;
  /** More hosts than that are refused. */
  readonly maxHosts: number;
}

/** How the cluster makes hosts by itself; undefined for clusters whose hosts are configured or discovered. */
export function onDemandHosts(cluster: ClusterJson): OnDemandHosts | undefined {
  if (cluster.type === 'ORIGINAL_DST') return originalDestination(cluster);
  if (cluster.clusterType?.name === FORWARD_PROXY) return forwardProxy((cluster.clusterType.typedConfig ?? {}) as ClusterConfigJson);
  return undefined;
}

/** Envoy's name of the cluster type. */
export const FORWARD_PROXY = 'envoy.clusters.dynamic_forward_proxy';

const blank = {
  hostname: '',
  weight: 1,
  priority: 0,
  region: '',
  zone: '',
  subZone: '',
  localityWeight: undefined,
  health: 'UNKNOWN',
  metadata: {},
} as const;

/** ORIGINAL_DST: where the client connected to, or with the port that the cluster says. */
function originalDestination(cluster: ClusterJson): OnDemandHosts {
  const override = jsonNumber(cluster.originalDstLbConfig?.upstreamPortOverride, 0);
  return {
    unusedFor: milliseconds(cluster.cleanupInterval, 5000),
    maxHosts: Number.POSITIVE_INFINITY,
    specFor({ originalDestination: text }) {
      const found = text === undefined ? undefined : splitAddress(text);
      if (found?.port === undefined || isIP(found.host) === 0) return undefined;
      const port = override || found.port;
      return { ...blank, address: hostAddress(found.host, port), dial: { kind: 'ip', ip: found.host, port } };
    },
  };
}

/** Dynamic forward proxy: the host of `:authority`, looked up when a connection to it is made; port 80 when it names none. */
function forwardProxy(config: ClusterConfigJson): OnDemandHosts {
  const cache = config.dnsCacheConfig;
  const family = FAMILY[cache?.dnsLookupFamily ?? 'AUTO'];
  return {
    unusedFor: milliseconds(cache?.hostTtl, 300_000),
    maxHosts: jsonNumber(cache?.maxHosts, 1024),
    specFor({ authority }) {
      const found = authority === undefined ? undefined : splitAddress(authority);
      if (found === undefined) return undefined;
      const port = found.port ?? 80;
      const dial: HostSpec['dial'] =
        isIP(found.host) !== 0 ? { kind: 'ip', ip: found.host, port } : { kind: 'name', name: found.host, port, family };
      return { ...blank, address: hostAddress(found.host, port), dial, hostname: found.host };
    },
  };
}

const FAMILY: Readonly<Record<Cluster_DnsLookupFamilyJson, 0 | 4 | 6>> = {
  AUTO: 0,
  ALL: 0,
  V4_PREFERRED: 0,
  V4_ONLY: 4,
  V6_ONLY: 6,
};
