import { formatPath, originOf, type Resource } from '../../config/resource.ts';
import { configPath } from '../../envoy/metadata.ts';
import { type Exposure, exposuresOf } from '../../explain/exposures.ts';
import type { GatewayState, RouteState } from '../../mesh/gateway-api/build.ts';
import type { Fault } from '../../mesh/gateway-api/conditions.ts';
import { type Condition, gatewayStatus, routeStatus } from '../../mesh/gateway-api/status.ts';
import { gatewayProxies } from '../../mesh/gateway-proxies.ts';
import type { ProxyNode } from '../../mesh/types.ts';
import { proxyName } from '../clients.ts';
import { originAt } from '../origin-at.ts';
import { tablesOf } from '../route-table.ts';
import { type Around, names, servicePorts, type Touched } from '../touched.ts';
import type { ResourceDescription, Shadow } from '../types.ts';

/** A Gateway or a route of the Gateway API: its status, and what it does. undefined for its other kinds. */
export function gatewayApi(resource: Resource, around: Around): Touched | undefined {
  const { gateways, routes } = around.mesh.gatewayApi;
  const gateway = gateways.find((g) => g.gateway === resource);
  if (gateway !== undefined) return describeGateway(gateway, around);
  const route = routes.find((r) => r.route === resource);
  return route && describeRoute(route, around);
}

const shadowsOf = (resource: Resource, faults: readonly Fault[]): Shadow[] =>
  faults.map((f) => ({ why: `${f.reason}: ${f.message}`, by: originAt(resource, f.path) }));

/** `Accepted`, or `not Programmed: Invalid`. */
function words(conditions: readonly Condition[]): string {
  return conditions
    .filter((c) => c.type !== 'Conflicted')
    .map((c) => (c.status === 'True' ? c.type : `not ${c.type}: ${c.reason}`))
    .join(', ');
}

function exposedBy(proxies: readonly ProxyNode[], { mesh }: Around, wanted: (e: Exposure) => boolean): ResourceDescription['exposes'] {
  return proxies.flatMap((proxy) =>
    exposuresOf(tablesOf(mesh, proxy).view)
      .filter(wanted)
      .map((e) => ({ gateway: proxyName(proxy), ...e })),
  );
}

function servicesOf(exposes: ResourceDescription['exposes']): ResourceDescription['services'] {
  const found = servicePorts();
  // Backends that are not there have a name that nobody can have.
  const isThere = (service: string | undefined): boolean => service !== undefined && !service.endsWith('.invalid');
  for (const d of exposes.flatMap((e) => e.destinations)) if (isThere(d.service)) found.note(`${d.service}:${d.port}`);
  return found.list();
}

function describeGateway(state: GatewayState, around: Around): Touched {
  const { gateway, owner, listeners } = state;
  const { mesh } = around;
  const summary = `class ${gateway.spec.gatewayClassName}`;
  const status = gatewayStatus(state, mesh);
  if (status === undefined) {
    const why =
      owner === 'others' ? 'its GatewayClass is another controller’s' : `there is no GatewayClass ${gateway.spec.gatewayClassName}`;
    return { summary, state: 'ignored', shadows: [{ why, by: originAt(gateway, ['spec', 'gatewayClassName']) }] };
  }
  const serving = gatewayProxies(mesh).filter((p) => mesh.scope(p).gateways.some((g) => g.resource === gateway));
  const exposes = exposedBy(serving, around, () => true);
  const shadows = shadowsOf(
    gateway,
    listeners.flatMap((l) => l.faults),
  );
  const open = listeners.filter((l) => l.usable).length;
  return {
    summary,
    state: open === 0 ? 'ignored' : open < listeners.length || shadows.length > 0 ? 'partly' : 'acts',
    shadows,
    workloads: names(serving),
    services: servicesOf(exposes),
    exposes,
    facts: [
      ['status', words(status.conditions)],
      ...listeners.map(
        (l, i) =>
          [
            `listener ${l.spec.name}`,
            `${l.spec.port} ${l.spec.protocol} for ${l.hostname}; ${status.listeners[i]!.attachedRoutes} routes; ${words(status.listeners[i]!.conditions)}`,
          ] as const,
      ),
    ],
  };
}

function describeRoute(state: RouteState, around: Around): Touched {
  const { route, parents, faults } = state;
  const { mesh } = around;
  const gateways = new Set<Resource>(parents.flatMap((p) => p.attachments.map((a) => a.listener.gateway)));
  const serving = gatewayProxies(mesh).filter((p) => mesh.scope(p).gateways.some((g) => gateways.has(g.resource)));
  const config = configPath(route);
  const exposes = exposedBy(serving, around, (e) => e.origin?.config === config);
  const refused = parents.flatMap((p) => (p.fault === undefined ? [] : [p.fault]));
  const hosts = parents.flatMap((p) => (p.host === undefined ? [] : [p.host]));
  const attached = gateways.size > 0 || hosts.length > 0;
  const shadows = shadowsOf(route, [...refused, ...faults]);
  if (parents.length === 0) shadows.push({ why: 'it has no parentRefs: it is attached to nothing' });
  const own = parents.filter((p) => p.kind !== 'others');
  const status = routeStatus(state).parents;
  return {
    summary: [...[...gateways].map(originOf), ...hosts].join(', ') || 'attached to nothing',
    state: !attached ? 'ignored' : shadows.length > 0 ? 'partly' : 'acts',
    shadows,
    workloads: names(serving),
    services: servicesOf(exposes),
    exposes,
    facts: own.map(
      (p, i) => [formatPath(p.path.slice(1)), `${p.ref.kind ?? 'Gateway'} ${p.ref.name}: ${words(status[i]!.conditions)}`] as const,
    ),
  };
}
