/**
 * What the agent and the embedded proxy's process say to each other: HTTP over the proxy's Unix socket.
 *
 *   GET    /fairlead/v1/hello                      Hello
 *   PUT    /fairlead/v1/proxies/ID                 ProxyConfig -> Applied | Refused (409: the last good config runs on)
 *   PATCH  /fairlead/v1/proxies/ID                 ConfigChanges -> Applied | Refused; 412: it is not the config before that runs
 *   GET    /fairlead/v1/proxies/ID/config          AppliedConfig
 *   PUT    /fairlead/v1/proxies/ID/secrets         SecretJson[] -> {}; 400 {problems}: those secrets stay what they were. Also before the config
 *   DELETE /fairlead/v1/proxies/ID                 with its secrets
 *   GET    /fairlead/v1/events?records=true|false  ProxyEvent, one a line, until the client leaves
 *   POST   /fairlead/v1/drain {deadlineMs}         answers when drained
 *   POST   /fairlead/v1/stop                       answers, then the process ends
 *   *      /proxies/ID/<path of Envoy's admin API>
 *
 * ID is the node id, percent-encoded.
 */
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { Problem } from '../../src/errors.ts';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';

/** Changes when either side could misread the other: an agent does not adopt a proxy that speaks another one. */
export const PROTOCOL_VERSION = 3;

export interface Hello {
  engine: 'embedded';
  protocol: number;
  version: string;
  pid: number;
  /** Milliseconds since 1970. */
  startedAt: number;
  proxies: { id: string; version: string }[];
}

export interface ProxyConfig {
  version: string;
  /** `<name>.<namespace>`: how records name the proxy. */
  name: string;
  /** Envoy's node, which spans name; made of `name` without it. */
  node?: { id: string; cluster: string; zone: string };
  listeners: readonly ListenerJson[];
  routes: readonly RouteConfigurationJson[];
  clusters: readonly ClusterJson[];
  endpoints: readonly ClusterLoadAssignmentJson[];
}

/** A list told by stretches of the one before (from, how many) and by what is new. */
export type ListChanges<T> = readonly (readonly [from: number, count: number] | T)[];

/** A route configuration of which some virtual hosts changed. */
export interface HostChanges {
  /** Its place in the list before. */
  of: number;
  /** All but its virtual hosts. */
  config: RouteConfigurationJson;
  hosts: ListChanges<VirtualHostJson>;
}

/** How the next configuration differs from the one that runs. */
export interface ConfigChanges {
  /** The version that must run now. */
  from: string;
  version: string;
  name: string;
  listeners: ListChanges<ListenerJson>;
  routes: ListChanges<RouteConfigurationJson | HostChanges>;
  clusters: ListChanges<ClusterJson>;
  endpoints: ListChanges<ClusterLoadAssignmentJson>;
}

export interface Applied {
  applied: true;
  version: string;
}

export interface Refused {
  applied: false;
  version: string;
  problems: Problem[];
}

export interface AppliedConfig extends ProxyConfig {
  /** Milliseconds since 1970. */
  updatedAt: number;
}

export type ProxyEvent =
  | { record: RequestRecord }
  | { log: { level: 'info' | 'warning' | 'error'; message: string } }
  | { dropped: number };
