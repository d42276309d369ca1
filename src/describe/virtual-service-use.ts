import type { VirtualService } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import { configPath } from '../envoy/metadata.ts';
import { normaliseGateway } from '../mesh/gateway-names.ts';
import { covers } from '../mesh/host-match.ts';
import type { Mesh, ProxyNode } from '../mesh/types.ts';
import { proxyName } from './clients.ts';
import { originAt } from './origin-at.ts';
import type { TableRoute } from './route-table.ts';
import type { ResourceUse, Shadow } from './types.ts';
import { LEFT_OUT, shadowOfRule, writtenRules } from './virtual-service-rules.ts';

/** The VirtualServices whose hosts include a host, delegates inside their roots, oldest first. */
export function virtualServicesOf(mesh: Mesh, host: string): Resource<VirtualService>[] {
  return mesh
    .ofKind<VirtualService>('VirtualService')
    .filter(({ spec, metadata }) => (spec.hosts ?? []).some((h) => covers(mesh.completeHost(h, metadata.namespace), host)));
}

export interface HostTable {
  readonly host: string;
  readonly ports: readonly number[];
  /** The routes of all of these ports. */
  readonly table: readonly TableRoute[];
  /** VirtualServices whose TLS and TCP rules are used. */
  readonly layer4: ReadonlySet<Resource>;
}

/** What becomes of a VirtualService for one host in a sidecar's config, and why. */
export function virtualServiceUse(mesh: Mesh, resource: Resource<VirtualService>, proxy: ProxyNode, of: HostTable): ResourceUse {
  const origin = originAt(resource);
  const ignored = (why: string, by?: Resource): ResourceUse => ({
    origin,
    state: 'ignored',
    shadows: [{ why, ...(by && { by: originAt(by) }) }],
  });
  const { gateways = [] } = resource.spec;
  const attached = gateways.map((g) => normaliseGateway(g, resource.metadata.namespace));
  if (attached.length > 0 && !attached.includes('mesh'))
    return ignored(`it is for ${attached.join(', ')} only: requests inside the mesh do not meet it`);
  const view = mesh.scope(proxy).virtualServices.find((v) => v.resource === resource);
  if (view === undefined) return ignored(`${proxyName(proxy)} does not see it: its exportTo, or a Sidecar, leaves it out`);
  const root = configPath(resource);
  const own = of.table.filter((route) => route.root === root);
  if (own.length === 0 && !of.layer4.has(resource)) {
    const rules = writtenRules(view);
    const shadows = rules
      .map((rule) => shadowOfRule(rule, { view, proxy, gateway: 'mesh', ports: of.ports, table: [] }))
      .filter((s) => s !== undefined && s.why !== LEFT_OUT);
    if (rules.length > 0 && shadows.length === rules.length) return { origin, state: 'ignored', shadows: unique(shadows as Shadow[]) };
    const winner = of.table.find((route) => route.root !== undefined && route.root !== root)?.root;
    const by = winner === undefined ? undefined : mesh.ofKind('VirtualService').find((r) => configPath(r) === winner);
    if (by !== undefined)
      return ignored(`sidecars take the routes of a host from one VirtualService: a more specific or older one has it`, by);
    return ignored('none of its rules is for a port of this service');
  }
  if (own.length === 0) return { origin, state: 'acts', shadows: [] };
  const rules = writtenRules(view);
  const shadows = rules.flatMap((rule): Shadow[] => {
    const shadow = shadowOfRule(rule, { view, proxy, gateway: 'mesh', ports: of.ports, table: own });
    const name = `rule #${rule.number}${rule.name === '' ? '' : ` ${rule.name}`}`;
    return shadow === undefined ? [] : [{ ...shadow, why: `${name} (${place(rule.resource, rule.path)}): ${shadow.why}` }];
  });
  return { origin, state: shadows.length === 0 ? 'acts' : shadows.length < rules.length ? 'partly' : 'ignored', shadows };
}

const place = (resource: Resource, path: readonly (string | number)[]): string => {
  const { file, line } = resource.source.positionOf(path);
  return `${file}:${line}`;
};

const unique = (shadows: readonly Shadow[]): Shadow[] => [...new Map(shadows.map((s) => [s.why, s])).values()];
