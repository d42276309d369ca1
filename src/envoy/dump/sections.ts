/** The sections of Envoy's config dump that Fairlead writes and reads, camelCase. */
import type { BootstrapConfigDumpJson, SecretsConfigDumpJson } from '#envoy-api/envoy/admin/v3/config_dump_pb.js';
import type {
  ClustersConfigDumpJson,
  EcdsConfigDumpJson,
  EndpointsConfigDumpJson,
  ListenersConfigDumpJson,
  RoutesConfigDumpJson,
} from '#envoy-api/envoy/admin/v3/config_dump_shared_pb.js';

export interface Sections {
  bootstrap: BootstrapConfigDumpJson;
  clusters: ClustersConfigDumpJson;
  ecds: EcdsConfigDumpJson;
  endpoints: EndpointsConfigDumpJson;
  listeners: ListenersConfigDumpJson;
  routes: RoutesConfigDumpJson;
  secrets: SecretsConfigDumpJson;
}

export type SectionName = keyof Sections;

/** The message of each section, below `envoy.admin.v3`, in the order in which a dump has them. */
export const sectionMessages: Record<SectionName, string> = {
  bootstrap: 'BootstrapConfigDump',
  clusters: 'ClustersConfigDump',
  ecds: 'EcdsConfigDump',
  endpoints: 'EndpointsConfigDump',
  listeners: 'ListenersConfigDump',
  routes: 'RoutesConfigDump',
  secrets: 'SecretsConfigDump',
};

/** `envoy.admin.v3.ListenersConfigDump`. */
export const sectionType = (section: SectionName): string => `envoy.admin.v3.${sectionMessages[section]}`;

/** Repeated fields by section, and the message (inside the section's) of their elements. */
export const repeatedFields: Record<Exclude<SectionName, 'bootstrap'>, Readonly<Record<string, string>>> = {
  clusters: { staticClusters: 'StaticCluster', dynamicActiveClusters: 'DynamicCluster', dynamicWarmingClusters: 'DynamicCluster' },
  ecds: { ecdsFilters: 'EcdsFilterConfig' },
  endpoints: { staticEndpointConfigs: 'StaticEndpointConfig', dynamicEndpointConfigs: 'DynamicEndpointConfig' },
  listeners: { staticListeners: 'StaticListener', dynamicListeners: 'DynamicListener' },
  routes: { staticRouteConfigs: 'StaticRouteConfig', dynamicRouteConfigs: 'DynamicRouteConfig' },
  secrets: { staticSecrets: 'StaticSecret', dynamicActiveSecrets: 'DynamicSecret', dynamicWarmingSecrets: 'DynamicSecret' },
};

/** The section that a message name such as `ListenersConfigDump` stands for. */
export function sectionOf(message: string): SectionName | undefined {
  return (Object.keys(sectionMessages) as SectionName[]).find((name) => sectionMessages[name] === message);
}
