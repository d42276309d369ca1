/**
 * Envoy config for one proxy: Envoy's v3 API as JSON objects (protobuf JSON, camelCase), which every engine and every
 * explanation reads and nothing else.
 */
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { Problem } from '../errors.ts';
import type { ProxyNode } from '../mesh/types.ts';

/** What travels to an engine. Lists are sorted by name and free of duplicates. */
export interface Snapshot {
  /** Changes exactly when one of the lists does: a hash of their content, computed when it is first asked for. */
  version: string;
  proxy: ProxyNode;
  listeners: readonly ListenerJson[];
  /** RDS; inline route configurations are inside their listeners. */
  routes: readonly RouteConfigurationJson[];
  clusters: readonly ClusterJson[];
  /** EDS; the load assignments of STATIC and DNS clusters are inside their clusters. */
  endpoints: readonly ClusterLoadAssignmentJson[];
  /** Fields and resources that this config does not carry out, each with its position. */
  problems: readonly Problem[];
}
