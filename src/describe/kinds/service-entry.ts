import type { ServiceEntry } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { Mesh } from '../../mesh/types.ts';
import { originAt } from '../origin-at.ts';
import { type Around, isReal, names, type Touched } from '../touched.ts';
import type { Shadow } from '../types.ts';
import { visibilityOf } from '../visibility.ts';

export function serviceEntry(resource: Resource<ServiceEntry>, { mesh, proxies }: Around): Touched {
  const services = mesh.services.filter((s) => s.resource === resource || s.ports.some((p) => p.resource === resource));
  const workloads = proxies.filter(
    (p) =>
      isReal(p) &&
      mesh.scope(p).services.some((s) => services.includes(s) || services.some((own) => own.host === s.host && s.resource === resource)),
  );
  const hidden = services.flatMap((s) =>
    visibilityOf(mesh, s).hiddenFrom.map(
      (h) =>
        [
          'hidden from',
          `${h.workloads.join(', ')}: ${h.why}${h.by?.file === undefined ? '' : ` (${h.by.line === 0 ? h.by.file : `${h.by.file}:${h.by.line}`})`}`,
        ] as const,
    ),
  );
  const lost = (resource.spec.hosts ?? []).filter((h) => !services.some((s) => s.host === h.toLowerCase()));
  const shadows = lost.map((h): Shadow => ({ why: `host ${h} is another resource’s`, ...taken(mesh, h) }));
  const endpoints = services.map((s) => new Set(s.ports.flatMap((p) => mesh.endpoints(s, p).map((e) => e.address))).size);
  return {
    summary: `${(resource.spec.hosts ?? []).join(', ')}, resolution ${resource.spec.resolution ?? 'NONE'}`,
    state: services.length === 0 ? 'ignored' : shadows.length > 0 ? 'partly' : 'acts',
    shadows,
    facts: hidden,
    workloads: names(workloads),
    services: services.map((s, i) => ({
      host: s.host,
      ports: s.ports.map((p) => p.number),
      note: `${endpoints[i]} endpoint${endpoints[i] === 1 ? '' : 's'}`,
    })),
  };
}

function taken(mesh: Mesh, host: string): { by?: Shadow['by'] } {
  const other = mesh.services.find((s) => s.host === host.toLowerCase());
  return other === undefined ? {} : { by: originAt(other.resource) };
}
