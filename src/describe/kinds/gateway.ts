import type { Gateway } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import { configPath } from '../../envoy/metadata.ts';
import { exposuresOf } from '../../explain/exposures.ts';
import { gatewayProxies } from '../../mesh/gateway-proxies.ts';
import { gatewayListenPort } from '../../mesh/gateways.ts';
import { proxyName } from '../clients.ts';
import { originAt } from '../origin-at.ts';
import { tablesOf } from '../route-table.ts';
import { type Around, names, servicePorts, type Touched } from '../touched.ts';
import { flat } from '../traffic-policy.ts';
import type { ResourceDescription, Shadow } from '../types.ts';

export function gateway(resource: Resource<Gateway>, { mesh }: Around): Touched {
  const { namespace, name } = resource.metadata;
  const serving = gatewayProxies(mesh).filter((p) => mesh.scope(p).gateways.some((g) => g.resource === resource));
  const exposes = serving.flatMap((proxy) => {
    const scope = mesh.scope(proxy);
    const own = new Set(
      // Delegates write routes of their own.
      scope
        .virtualServicesFor(`${namespace}/${name}`)
        .flatMap((v) => [v.resource, ...v.httpOrigins.map((o) => o.resource)].map(configPath)),
    );
    const ports = new Set((resource.spec.servers ?? []).map((s) => gatewayListenPort(scope, s.port?.number ?? 0)));
    return exposuresOf(tablesOf(mesh, proxy).view)
      .filter((e) => ports.has(e.port))
      .filter((e) => e.origin?.config === undefined || own.has(e.origin.config) || e.origin.config === configPath(resource))
      .map((e) => ({ gateway: proxyName(proxy), ...e }));
  });
  const servers = (resource.spec.servers ?? []).map(
    (s, i) => [`server #${i + 1}`, `${s.port?.number} ${s.port?.protocol} for ${(s.hosts ?? []).join(', ')}`] as const,
  );
  const shadows: Shadow[] =
    serving.length > 0
      ? []
      : [{ why: `no gateway has the labels ${flat(resource.spec.selector ?? {})}`, by: originAt(resource, ['spec', 'selector']) }];
  if (serving.length > 0 && exposes.length === 0) shadows.push({ why: `no VirtualService routes anything for it: every request gets 404` });
  return {
    summary: `selector ${flat(resource.spec.selector ?? {}) || 'of every gateway'}`,
    state: serving.length === 0 ? 'ignored' : 'acts',
    shadows,
    workloads: names(serving),
    services: servicesOf(exposes),
    exposes,
    facts: servers,
  };
}

function servicesOf(exposes: ResourceDescription['exposes']): ResourceDescription['services'] {
  const found = servicePorts();
  for (const { destinations } of exposes) for (const d of destinations) if (d.service !== undefined) found.note(`${d.service}:${d.port}`);
  return found.list();
}
