/** Where spans go: the cluster of a provider's service. */
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import { type FieldPath, formatPath } from '../config/resource.ts';
import type { Problem } from '../errors.ts';
import type { Mesh, ProxyScope } from '../mesh/types.ts';
import { clusterName } from './names.ts';
import { tracingSettings } from './tracing-settings.ts';

export interface Collector {
  cluster: string;
  /** For the Host header. */
  host: string;
}

/** The cluster that Istio's bootstrap has for `defaultConfig.tracing.zipkin.address`. */
const ZIPKIN_CLUSTER = 'zipkin';

/** `host` or `namespace/host`, and a port; a string says why there is no such cluster. */
export function collectorOf(scope: ProxyScope, service: string | undefined, port: number | undefined): Collector | string {
  if (!service || !port) return 'it needs a service and a port';
  const host = service.slice(service.indexOf('/') + 1).toLowerCase();
  const found = scope.serviceByHost(host);
  if (found === undefined) return `proxy ${scope.proxy.name}.${scope.proxy.namespace} sees no service ${host}`;
  if (!found.ports.some((p) => p.number === port)) return `service ${host} has no port ${port}`;
  return { cluster: clusterName('outbound', port, '', host), host };
}

/** `host:port` of `defaultConfig.tracing.zipkin`: the service of that name when the proxy sees it, else a cluster of its own, found by DNS. */
export function zipkinCollector(
  mesh: Mesh,
  scope: ProxyScope,
): (Collector & { own: { address: string; port: number } | undefined }) | string {
  const address = mesh.config.defaultConfig?.tracing?.zipkin?.address ?? '';
  const [, name = '', digits = ''] = /^\[?([^\]]+)\]?:(\d+)$/.exec(address) ?? [];
  const port = Number(digits);
  if (name === '' || port < 1 || port > 65535) return `${JSON.stringify(address)} is not host:port`;
  const { domain } = mesh.config;
  for (const host of [name, mesh.completeHost(name, scope.proxy.namespace), `${name}.svc.${domain}`]) {
    const service = collectorOf(scope, host, port);
    if (typeof service !== 'string') return { ...service, own: undefined };
  }
  return { cluster: ZIPKIN_CLUSTER, host: name, own: { address: name, port } };
}

/** The cluster of `defaultConfig.tracing.zipkin` that no service gives. */
export function tracingClusters(mesh: Mesh, scope: ProxyScope): ClusterJson[] {
  const { config } = mesh;
  if (config.enableTracing === false || !config.defaultConfig?.tracing?.zipkin?.address) return [];
  const found = zipkinCollector(mesh, scope);
  if (typeof found === 'string' || found.own === undefined) return [];
  const { address, port } = found.own;
  return [
    {
      name: ZIPKIN_CLUSTER,
      altStatName: `${ZIPKIN_CLUSTER};`,
      type: 'STRICT_DNS',
      connectTimeout: '1s',
      dnsRefreshRate: '30s',
      respectDnsTtl: true,
      lbPolicy: 'ROUND_ROBIN',
      loadAssignment: {
        clusterName: ZIPKIN_CLUSTER,
        endpoints: [{ lbEndpoints: [{ endpoint: { address: { socketAddress: { address, portValue: port } } } }] }],
      },
    },
  ];
}

/** Collectors that spans of this proxy would go to and cannot: the provider's service, where the mesh's settings name it. */
export function collectorProblems(mesh: Mesh, scope: ProxyScope): Problem[] {
  const { config, configSource } = mesh;
  const names = new Set(
    (['CLIENT', 'SERVER'] as const)
      .map((mode) => tracingSettings(mesh, scope.proxy, mode))
      .filter((settings) => settings?.disabled === false)
      .map((settings) => settings?.provider),
  );
  const found: { path: FieldPath; why: string }[] = [];
  for (const name of names) {
    const index = (config.extensionProviders ?? []).findIndex((p) => p.name?.toLowerCase() === name?.toLowerCase());
    const provider = config.extensionProviders?.[index];
    const kind = provider?.zipkin ? 'zipkin' : 'opentelemetry';
    const given = provider?.zipkin ?? provider?.opentelemetry;
    const why = name === undefined ? zipkinCollector(mesh, scope) : given && collectorOf(scope, given.service, given.port);
    if (typeof why !== 'string') continue;
    const path = name === undefined ? ['defaultConfig', 'tracing', 'zipkin', 'address'] : ['extensionProviders', index, kind];
    found.push({ path, why });
  }
  return found.map(({ path, why }) => ({
    severity: 'warning',
    rule: 'telemetry/no-collector',
    message: `spans cannot be sent, and none are made: ${why}`,
    hint: 'declare the collector as a Service or a ServiceEntry',
    origin: 'MeshConfig',
    path: formatPath(path),
    ...(configSource && { position: configSource.positionOf(path) }),
  }));
}
