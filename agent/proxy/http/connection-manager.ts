import type { ClientCertificateHeader } from '../../../src/routing/client-certificate-header.ts';
import type { PathOptions } from '../../../src/routing/path.ts';
import type { CompiledRouteConfiguration, RouteDecision } from '../../../src/routing/types.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import type { HttpFilter } from '../filters/http-filter.ts';
import type { Tracing } from '../tracing/compile-tracing.ts';
import type { ClusterManager } from '../types.ts';
import type { AccessLogger } from './access-loggers.ts';
import type { ClientPolicy } from './client-policy.ts';
import type { HttpStats } from './http-stats.ts';
import type { RouteStats } from './route-stats.ts';
import type { HttpSettings } from './settings.ts';

/** Routes by name; an update of a route configuration swaps what is inside, so that running listeners see it. */
export interface RouteSlot {
  readonly name: string;
  current: CompiledRouteConfiguration;
}

/** What the router filter's own configuration says. */
export interface RouterSettings {
  readonly suppressEnvoyHeaders: boolean;
}

/** One compiled connection manager: immutable but for its routes. */
export interface ConnectionManager {
  readonly proxyId: string;
  readonly direction: RequestRecord['direction'];
  readonly settings: HttpSettings;
  readonly stats: HttpStats;
  /** The statistics of a decision's route, when it has any of its own. */
  routeStats(decision: RouteDecision): RouteStats | undefined;
  readonly path: PathOptions;
  readonly client: ClientPolicy;
  /** always_set_request_id_in_response. */
  readonly requestIdInResponse: boolean;
  readonly clientCertificate: ClientCertificateHeader;
  readonly routes: RouteSlot;
  /** Before the router, in the order of requests. */
  readonly filters: readonly HttpFilter[];
  readonly router: RouterSettings;
  readonly clusters: ClusterManager;
  readonly tracing: Tracing | undefined;
  readonly accessLogs: readonly AccessLogger[];
  /** Lower-case names of request headers that records keep. */
  readonly recordHeaders: readonly string[];
  record(record: RequestRecord): void;
}
