import type { VirtualService } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import { configPath } from '../../envoy/metadata.ts';
import { isHttpOrDetected } from '../../envoy/protocols.ts';
import { httpSourceHolds } from '../../envoy/routes/source.ts';
import { normaliseGateway } from '../../mesh/gateway-names.ts';
import { covers } from '../../mesh/host-match.ts';
import type { Mesh, ProxyNode, VirtualServiceView } from '../../mesh/types.ts';
import { clientIn, proxyName } from '../clients.ts';
import { layer4Routes } from '../layer4-routes.ts';
import { originAt } from '../origin-at.ts';
import { tablesOf } from '../route-table.ts';
import { withEndpoints } from '../service-parts.ts';
import { type Around, isReal, names, type ServicePorts, servicePorts, type Touched } from '../touched.ts';
import type { ResourceDescription, Shadow } from '../types.ts';
import { clientsOfRule, conditionsOfRule, LEFT_OUT, routesOfRule, shadowOfRule, writtenRules } from '../virtual-service-rules.ts';

/** A proxy that could run a VirtualService, as which gateway. */
interface Place {
  proxy: ProxyNode;
  gateway: string;
  view: VirtualServiceView;
}

export function placesOf(resource: Resource<VirtualService>, { mesh, proxies }: Around): Place[] {
  const gateways = resource.spec.gateways?.length ? resource.spec.gateways : ['mesh'];
  return gateways.flatMap((named): Place[] => {
    const gateway = normaliseGateway(named, resource.metadata.namespace);
    const candidates =
      gateway === 'mesh'
        ? proxies.filter((p) => p.type === 'sidecar' && isReal(p))
        : proxies.filter(
            (p) =>
              p.type === 'router' &&
              mesh.scope(p).gateways.some(({ resource: g }) => `${g.metadata.namespace}/${g.metadata.name}` === gateway),
          );
    // Without any workload it is still to be seen what one would get.
    const all = gateway === 'mesh' ? [clientIn(mesh, resource.metadata.namespace), ...candidates] : candidates;
    return all.flatMap((proxy) => {
      const scope = mesh.scope(proxy);
      const view = (gateway === 'mesh' ? scope.virtualServices : scope.virtualServicesFor(gateway)).find((v) => v.resource === resource);
      return view === undefined ? [] : [{ proxy, gateway, view }];
    });
  });
}

/** A virtual host of the VirtualService's; not the one that a service has on port 80 without having that port. */
function isAsked(virtualHost: string, { view, proxy }: Place, mesh: Mesh): boolean {
  const [, host = virtualHost, port] = /^(.*):(\d+)$/.exec(virtualHost) ?? [];
  if (!view.hosts.some((h) => covers(h, host))) return false;
  const service = proxy.type === 'router' ? undefined : mesh.scope(proxy).serviceByHost(host);
  return service === undefined || service.ports.some((p) => p.number === Number(port));
}

/** Enough places that each rule which somebody can run is run by one of them: sources of matches may tell clients apart. */
function chosenPlaces(places: readonly Place[]): Place[] {
  const chosen = new Set<Place>();
  for (const gateway of new Set(places.map((p) => p.gateway))) {
    const here = places.filter((p) => p.gateway === gateway);
    const [first] = here;
    if (first === undefined) continue;
    chosen.add(first);
    if (gateway !== 'mesh')
      for (const place of here) if (place.proxy.workload.workloadName !== first.proxy.workload.workloadName) chosen.add(place);
    for (const { match } of writtenRules(first.view)) {
      if (match === undefined) continue;
      const holds = (p: Place): boolean => httpSourceHolds(match, p.proxy, p.view.resource.metadata.namespace, gateway);
      if ([...chosen].some((p) => p.gateway === gateway && holds(p))) continue;
      const found = here.find(holds);
      if (found !== undefined) chosen.add(found);
    }
  }
  return [...chosen];
}

export function virtualService(resource: Resource<VirtualService>, around: Around): Touched {
  const { mesh } = around;
  if ((resource.spec.hosts ?? []).length === 0) return delegate(resource, around);
  const places = placesOf(resource, around);
  const chosen = chosenPlaces(places);
  const root = configPath(resource);
  const summary = `${(resource.spec.hosts ?? []).join(', ')} at ${(resource.spec.gateways?.length ? resource.spec.gateways : ['mesh']).join(', ')}`;
  const [first] = chosen;
  if (first === undefined)
    return {
      summary,
      state: 'ignored',
      shadows: [{ why: `no proxy uses it: ${noPlace(resource)}`, by: originAt(resource, ['spec', 'gateways']) }],
    };
  const contexts = chosen.map((place) => {
    const tables = tablesOf(mesh, place.proxy);
    const hosts = tables.virtualHosts.filter((name) => isAsked(name, place, mesh));
    const table = hosts.flatMap((name) => tables.routes(name)).filter((r) => r.root === root);
    const ports = hosts.map((name) => Number(/:(\d+)$/.exec(name)?.[1] ?? 0));
    return {
      ...place,
      table,
      ports,
      others: hosts.flatMap((name) => tables.routes(name)).find((r) => r.root !== undefined && r.root !== root)?.root,
    };
  });
  const services = servicePorts();
  const shadows: Shadow[] = [];
  const rules = writtenRules(first.view);
  const other = contexts.find((c) => c.table.length === 0 && c.others !== undefined)?.others;
  const winner = other === undefined ? undefined : mesh.ofKind('VirtualService').find((r) => configPath(r) === other);
  const overshadowed: Shadow | undefined = winner && {
    why: 'a host has the routes of one VirtualService: a more specific or older one has it',
    by: originAt(winner),
  };
  const routes = rules.map((rule): ResourceDescription['routes'][number] => {
    const fates = contexts.map((c) => ({ context: c, made: routesOfRule(rule, c.table), shadow: shadowOfRule(rule, c) }));
    const best = fates.find((f) => f.shadow === undefined) ?? fates.find((f) => f.made.length > 0) ?? fates[0]!;
    const at = fates
      .filter((f) => f.shadow === undefined)
      .flatMap((f) => f.made.filter((r) => r.use.shadow === undefined).map((r) => `${r.virtualHost} in ${r.proxy}`));
    for (const { made } of fates) for (const { virtualHost } of made) services.note(virtualHost);
    const use = best.made[0]?.use ?? {
      name: rule.name,
      protocol: 'HTTP' as const,
      conditions: conditionsOfRule(rule),
      kind: 'forward' as const,
      destinations: [],
      settings: [],
    };
    const { shadow: _own, ...rest } = withEndpoints(mesh, best.context.proxy, {
      ...use,
      number: rule.number,
      conditions: [...use.conditions, ...clientsOfRule(rule)],
    });
    const shadow = best.shadow?.why === LEFT_OUT ? (overshadowed ?? best.shadow) : best.shadow;
    if (shadow !== undefined)
      shadows.push({ ...shadow, why: `rule #${rule.number}${rule.name === '' ? '' : ` ${rule.name}`}: ${shadow.why}` });
    return { ...rest, origin: originAt(rule.resource, rule.path), at, ...(shadow && { shadow }) };
  });
  const sidecar = contexts.find((c) => c.gateway === 'mesh');
  if (sidecar !== undefined) routes.push(...layer4Of(mesh, sidecar, services));
  const unused = rules.length > 0 && routes.every((r) => r.shadow !== undefined);
  const users = places.filter((p) => isReal(p.proxy) || p.gateway !== 'mesh').map((p) => p.proxy);
  return {
    summary,
    state: unused ? 'ignored' : routes.some((r) => r.shadow !== undefined) ? 'partly' : 'acts',
    shadows: unused && overshadowed !== undefined ? [overshadowed] : shadows,
    workloads: unused ? [] : names(users),
    services: services.list(),
    routes,
  };
}

function layer4Of(mesh: Mesh, place: Place, services: ServicePorts): ResourceDescription['routes'][number][] {
  const found = new Map<string, ResourceDescription['routes'][number]>();
  for (const service of mesh.scope(place.proxy).services) {
    if (!place.view.hosts.some((h) => covers(h, service.host))) continue;
    for (const port of service.ports) {
      if (isHttpOrDetected(port.protocol) && port.protocol !== 'detected') continue;
      for (const { use } of layer4Routes(mesh, place.proxy, [place.view], service.host, port.number)) {
        services.note(`${service.host}:${port.number}`);
        const key = `${use.origin?.field}`;
        const known = found.get(key);
        const at = [...(known?.at ?? []), `${service.host}:${port.number} in ${proxyName(place.proxy)}`];
        found.set(key, { ...(known ?? { ...withEndpoints(mesh, place.proxy, use), number: found.size + 1 }), at });
      }
    }
  }
  return [...found.values()];
}

const noPlace = ({ spec }: Resource<VirtualService>): string =>
  spec.gateways?.length && !spec.gateways.includes('mesh')
    ? 'there is no such gateway, none of its servers is for these hosts, or the routes are not exported to it'
    : 'it is exported to nobody';

export function delegate(resource: Resource<VirtualService>, { mesh }: Around): Touched {
  const { name, namespace } = resource.metadata;
  const roots = mesh
    .ofKind<VirtualService>('VirtualService')
    .filter((r) =>
      (r.spec.http ?? []).some((h) => h.delegate?.name === name && (h.delegate.namespace || r.metadata.namespace) === namespace),
    );
  const facts = roots.map((r) => ['used by', `VirtualService ${r.metadata.namespace}/${r.metadata.name}`] as const);
  const shadows = roots.length === 0 ? [{ why: 'it has no hosts, so it is a delegate, and no VirtualService delegates to it' }] : [];
  return { summary: 'a delegate: its routes are part of others', state: roots.length === 0 ? 'ignored' : 'acts', facts, shadows };
}
