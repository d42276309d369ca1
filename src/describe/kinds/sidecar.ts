import type { Sidecar } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import { isSubset } from '../../mesh/labels.ts';
import { clientIn } from '../clients.ts';
import { originAt } from '../origin-at.ts';
import { policySummary, selectorOf } from '../policies.ts';
import { type Around, isReal, names, type Touched } from '../touched.ts';
import type { Shadow } from '../types.ts';

export function sidecar(resource: Resource<Sidecar>, { mesh, proxies }: Around): Touched {
  const { namespace } = resource.metadata;
  const real = proxies.filter((p) => p.type === 'sidecar' && isReal(p));
  const users = real.filter((p) => mesh.scope(p).sidecar === resource);
  const meant = real.filter(
    (p) =>
      (p.namespace === namespace || namespace === mesh.config.rootNamespace) &&
      isSubset(selectorOf(resource), p.labels) &&
      !users.includes(p),
  );
  const shadows = [...Map.groupBy(meant, (p) => mesh.scope(p).sidecar)].map(
    ([other, of]): Shadow => ({
      why: `${names(of).join(', ')} ${of.length === 1 ? 'has' : 'have'} another Sidecar${other && Object.keys(selectorOf(other)).length > 0 ? ', which selects by labels' : ''}`,
      ...(other && { by: originAt(other) }),
    }),
  );
  const client = users[0] ?? (real.length === 0 ? clientIn(mesh, namespace) : undefined);
  const scope = client === undefined || mesh.scope(client).sidecar !== resource ? undefined : mesh.scope(client);
  const facts = (scope?.egress ?? []).map(
    (e, i) =>
      [
        `egress #${i + 1}`,
        `${e.port === undefined ? 'every port' : `port ${e.port.number} ${e.port.protocol}`}: ${count(e.services.length, 'service')}, ${count(e.virtualServices.length, 'VirtualService')}`,
      ] as const,
  );
  return {
    summary: policySummary(resource),
    state: users.length === 0 ? 'ignored' : shadows.length > 0 ? 'partly' : 'acts',
    shadows: users.length === 0 && shadows.length === 0 ? [{ why: 'no workload is selected by it' }] : shadows,
    workloads: names(users),
    services: (scope?.services ?? []).map((s) => ({ host: s.host, ports: s.ports.map((p) => p.number) })),
    facts,
  };
}

const count = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;
