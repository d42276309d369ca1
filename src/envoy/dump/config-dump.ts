import type { ConfigDumpJson, SecretsConfigDumpJson } from '#envoy-api/envoy/admin/v3/config_dump_pb.js';
import type { BootstrapJson } from '#envoy-api/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { typed } from '../any.ts';
import type { Snapshot } from '../snapshot.ts';
import { type SectionName, type Sections, sectionMessages, sectionType } from './sections.ts';

/** What a dump says beside the config itself. */
export interface DumpContext {
  bootstrap: BootstrapJson;
  /** When this config was applied, milliseconds since 1970. */
  lastUpdated: number;
  /** Versions of the four resource types, where they are counted apart; the snapshot's otherwise. */
  versions?: Partial<Record<'listeners' | 'routes' | 'clusters' | 'endpoints', string>>;
  /** Load assignments as they are in use (resolved addresses, health), in place of the configured ones. */
  endpoints?: readonly object[];
  secrets?: SecretsConfigDumpJson;
}

const resourceTypes = {
  cluster: 'envoy.config.cluster.v3.Cluster',
  endpoints: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
  listener: 'envoy.config.listener.v3.Listener',
  route: 'envoy.config.route.v3.RouteConfiguration',
} as const;

/** The sections of one proxy's dump, camelCase. Throws RangeError when `lastUpdated` is no time. */
export function dumpSections(snapshot: Snapshot, context: DumpContext): Omit<Sections, 'ecds'> {
  const lastUpdated = new Date(context.lastUpdated).toISOString();
  const version = (type: keyof NonNullable<DumpContext['versions']>): string => context.versions?.[type] ?? snapshot.version;
  // Envoy: whatever came by CDS counts as dynamic, clusters with a load assignment of their own included.
  const assignments = context.endpoints ?? [...snapshot.endpoints, ...snapshot.clusters.flatMap((c) => c.loadAssignment ?? [])];
  return {
    bootstrap: { bootstrap: context.bootstrap, lastUpdated },
    clusters: {
      versionInfo: version('clusters'),
      staticClusters: (context.bootstrap.staticResources?.clusters ?? []).map((c) => ({
        cluster: typed(resourceTypes.cluster, c),
        lastUpdated,
      })),
      dynamicActiveClusters: snapshot.clusters.map((c) => ({
        versionInfo: version('clusters'),
        cluster: typed(resourceTypes.cluster, c),
        lastUpdated,
      })),
    },
    endpoints: {
      dynamicEndpointConfigs: assignments.map((e) => ({
        versionInfo: version('endpoints'),
        endpointConfig: typed(resourceTypes.endpoints, e),
        lastUpdated,
      })),
    },
    listeners: {
      versionInfo: version('listeners'),
      staticListeners: (context.bootstrap.staticResources?.listeners ?? []).map((l) => ({
        listener: typed(resourceTypes.listener, l),
        lastUpdated,
      })),
      dynamicListeners: snapshot.listeners.map((l) => ({
        ...(l.name !== undefined && { name: l.name }),
        activeState: { versionInfo: version('listeners'), listener: typed(resourceTypes.listener, l), lastUpdated },
      })),
    },
    routes: {
      dynamicRouteConfigs: snapshot.routes.map((r) => ({
        versionInfo: version('routes'),
        routeConfig: typed(resourceTypes.route, r),
        lastUpdated,
      })),
    },
    secrets: context.secrets ?? {},
  };
}

/** Sections as the messages of one dump, in Envoy's order. */
export function packSections(sections: Readonly<Partial<Sections>>): ConfigDumpJson {
  const names = (Object.keys(sectionMessages) as SectionName[]).filter((name) => sections[name] !== undefined);
  return { configs: names.map((name) => typed(sectionType(name), sections[name]!)) };
}

/**
 * Envoy's config dump of one proxy, camelCase, endpoints included: what Envoy leaves out unless `include_eds` asks for it,
 * `filterDump` leaves out too. Envoy's own spelling of it is `Wire.toSnake('envoy.admin.v3.ConfigDump', dump)`.
 */
export function configDump(snapshot: Snapshot, context: DumpContext): ConfigDumpJson {
  return packSections(dumpSections(snapshot, context));
}
