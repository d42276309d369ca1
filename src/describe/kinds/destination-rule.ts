import type { DestinationRule } from '../../config/kinds/networking.ts';
import { originOf, type Resource } from '../../config/resource.ts';
import { configPath } from '../../envoy/metadata.ts';
import { covers } from '../../mesh/host-match.ts';
import type { ProxyNode } from '../../mesh/types.ts';
import { clientIn } from '../clients.ts';
import { originAt } from '../origin-at.ts';
import { tablesOf } from '../route-table.ts';
import { subsetsOf } from '../service-parts.ts';
import { type Around, isReal, names, type Touched } from '../touched.ts';
import { trafficPolicy } from '../traffic-policy.ts';
import type { Shadow } from '../types.ts';

export function destinationRule(resource: Resource<DestinationRule>, { mesh, proxies }: Around): Touched {
  const { namespace } = resource.metadata;
  const host = mesh.completeHost(resource.spec.host, namespace);
  const matching = mesh.services.filter((s) => covers(host, s.host));
  const clients = [clientIn(mesh, namespace), ...proxies.filter(isReal)];
  const shadows: Shadow[] = [];
  const users = new Set<ProxyNode>();
  const used = matching.filter((service) => {
    const own = clients.filter((client) => {
      const rule = mesh.scope(client).destinationRule(service);
      return (
        rule !== undefined &&
        (rule.resource === resource ||
          rule.subsetOrigins.some((o) => o.resource === resource) ||
          (resource.spec.trafficPolicy !== undefined && rule.spec.trafficPolicy === resource.spec.trafficPolicy))
      );
    });
    for (const client of own) if (isReal(client)) users.add(client);
    if (own.length > 0) return true;
    const other = clients.map((c) => mesh.scope(c).destinationRule(service)).find((r) => r !== undefined);
    shadows.push({ why: `clients use another rule for ${service.host}`, ...(other && { by: originAt(other.resource) }) });
    return false;
  });
  const [service] = used;
  const [client = clientIn(mesh, namespace)] = clients.filter(
    (c) => service !== undefined && mesh.scope(c).destinationRule(service)?.resource === resource,
  );
  const rule = service === undefined ? undefined : mesh.scope(client).destinationRule(service);
  const table =
    service === undefined
      ? []
      : service.ports.flatMap((p) => tablesOf(mesh, client).routes(`${service.host}:${p.number}`)).map((r) => r.use);
  const blocks =
    service === undefined
      ? []
      : service.ports.flatMap((port) =>
          trafficPolicy(mesh, rule, port).map((b) => ({ ...b, ...(b.level === 'port' && { port: port.number }) })),
        );
  if (matching.length === 0) shadows.push({ why: `no service is called ${host}`, by: originAt(resource, ['spec', 'host']) });
  const name = originOf(resource);
  for (const p of mesh.problems) if (p.origin === name && p.rule.startsWith('destination-rule/')) shadows.push({ why: p.message });
  const own = blocks.filter((b) => b.origin?.config === configPath(resource));
  return {
    summary: host,
    state: used.length === 0 ? 'ignored' : shadows.length > 0 ? 'partly' : 'acts',
    shadows,
    workloads: names([...users]),
    services: used.map((s) => ({ host: s.host, ports: s.ports.map((p) => p.number) })),
    subsets: service === undefined ? [] : subsetsOf(mesh, rule, service, table).filter((s) => s.origin.config === configPath(resource)),
    trafficPolicy: [...new Map(own.map((b) => [`${b.block} ${b.text}`, b])).values()],
  };
}
