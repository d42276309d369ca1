import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { ProblemList } from '../../../src/routing/problems.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import type { RouteSlot } from '../http/connection-manager.ts';
import type { SecretStore } from '../tls/secret-store.ts';
import type { TracingNode } from '../tracing/span.ts';
import type { ClusterManager, StatsRegistry } from '../types.ts';

/** What listeners are compiled with. */
export interface ListenerContext {
  proxyId: string;
  node: TracingNode;
  clusters: ClusterManager;
  stats: StatsRegistry;
  secrets: SecretStore;
  record(record: RequestRecord): void;
  routes(json: HttpConnectionManagerJson, path: string, problems: ProblemList): RouteSlot | undefined;
}
