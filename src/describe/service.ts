import type { Resource } from '../config/resource.ts';
import { isHttpOrDetected } from '../envoy/protocols.ts';
import { unsupportedProblems } from '../envoy/unsupported-problems.ts';
import { everyProxy } from '../mesh/proxies.ts';
import type { Mesh, ProxyNode, Service, ServicePort } from '../mesh/types.ts';
import { proxyName } from './clients.ts';
import { countEndpoints } from './count-endpoints.ts';
import { layer4Routes } from './layer4-routes.ts';
import { originAt } from './origin-at.ts';
import { policiesFor, problemsOf } from './policies.ts';
import { type ProxyTables, tablesOf } from './route-table.ts';
import { destinationRulesOf, exposedBy, portMtls, referencesTo, serversOf, subsetsOf, withEndpoints } from './service-parts.ts';
import { trafficPolicy } from './traffic-policy.ts';
import type { PortDescription, RouteUse, ServiceDescription } from './types.ts';
import { virtualServicesOf, virtualServiceUse } from './virtual-service-use.ts';
import { visibilityOf } from './visibility.ts';

/**
 * Everything that shapes requests to a service.
 *
 * @param from whose routes these are: what clients see may differ
 */
export function describeService(mesh: Mesh, named: Service, from: ProxyNode): ServiceDescription {
  const scope = mesh.scope(from);
  const seen = scope.serviceByHost(named.host);
  const visible = seen !== undefined && seen.namespace === named.namespace;
  const service = visible ? seen : named;
  const tables = tablesOf(mesh, from);
  const rule = scope.destinationRule(service);
  const servers = serversOf(mesh, service, everyProxy(mesh));
  const layer4 = new Set<Resource>();
  const ports = service.ports.map((port): PortDescription => {
    const routes = visible ? routesOfPort(mesh, from, service, port, tables, layer4) : [];
    return {
      number: port.number,
      name: port.name,
      protocol: port.protocol,
      targetPort: port.targetPort,
      origin: originAt(port.resource ?? service.resource, port.path),
      endpoints: countEndpoints(mesh, service, port),
      endpointPorts: [...new Set(mesh.endpoints(service, port).map((e) => e.port))].sort((a, b) => a - b),
      routes,
      trafficPolicy: trafficPolicy(mesh, rule, port),
      mtls: portMtls(mesh, rule, service, port, servers),
    };
  });
  const table = visible ? service.ports.flatMap((p) => tables.routes(`${service.host}:${p.number}`)) : [];
  const numbers = service.ports.map((p) => p.number);
  const virtualServices = virtualServicesOf(mesh, service.host);
  const destinationRules = destinationRulesOf(mesh, service, from);
  const policies = policiesFor(mesh, servers);
  const about = [
    service.resource,
    ...virtualServices,
    ...(rule ? [rule.resource] : []),
    ...resourcesOf(mesh, [...destinationRules, ...policies]),
  ];
  return {
    version: 1,
    kind: 'service',
    host: service.host,
    name: service.name,
    namespace: service.namespace,
    registry: service.registry,
    resolution: service.resolution,
    external: service.external,
    addresses: service.addresses,
    origin: originAt(service.resource),
    from: proxyName(from),
    visible,
    ports,
    subsets: subsetsOf(
      mesh,
      rule,
      service,
      ports.flatMap((p) => p.routes),
    ),
    virtualServices: virtualServices.map((r) => virtualServiceUse(mesh, r, from, { host: service.host, ports: numbers, table, layer4 })),
    destinationRules,
    exposedBy: exposedBy(mesh, (e) => e.destinations.some((d) => d.service === service.host)),
    reachedBy: referencesTo(mesh, service.host),
    visibility: visibilityOf(mesh, service),
    workloads: servers.map(proxyName),
    policies,
    problems: problemsOf(about, [...mesh.problems, ...unsupportedProblems(mesh), ...tables.problems]),
  };
}

/** The resources that origins name. */
function resourcesOf(mesh: Mesh, uses: readonly { origin: { kind: string; namespace: string; name: string } }[]): Resource[] {
  const keys = new Set(uses.map(({ origin: o }) => `${o.kind} ${o.namespace}/${o.name}`));
  return mesh.resources.filter((r) => keys.has(`${r.kind} ${r.metadata.namespace}/${r.metadata.name}`));
}

function routesOfPort(
  mesh: Mesh,
  from: ProxyNode,
  service: Service,
  port: ServicePort,
  tables: ProxyTables,
  layer4: Set<Resource>,
): RouteUse[] {
  const routes: RouteUse[] = [];
  if (isHttpOrDetected(port.protocol)) routes.push(...tables.routes(`${service.host}:${port.number}`).map((r) => r.use));
  if (port.protocol === 'detected' || !isHttpOrDetected(port.protocol)) {
    const found = layer4Routes(mesh, from, mesh.scope(from).virtualServices, service.host, port.number);
    for (const { view, use } of found) {
      layer4.add(view.resource);
      routes.push({ ...use, number: routes.length + 1 });
    }
  }
  if (routes.length === 0)
    routes.push({
      number: 1,
      name: '',
      protocol: 'TCP',
      conditions: [],
      kind: 'forward',
      destinations: [{ cluster: `outbound|${port.number}||${service.host}`, service: service.host, port: port.number, share: 1 }],
      settings: [],
    });
  return routes.map((use) => withEndpoints(mesh, from, use));
}
