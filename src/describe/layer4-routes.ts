import type { L4MatchAttributes, RouteDestination as Layer4Destination, TLSMatchAttributes } from '../config/kinds/networking.ts';
import { clusterName } from '../envoy/names.ts';
import { layer4SourceHolds } from '../envoy/routes/source.ts';
import { covers } from '../mesh/host-match.ts';
import type { Mesh, ProxyNode, VirtualServiceView } from '../mesh/types.ts';
import { originAt } from './origin-at.ts';
import type { RouteUse } from './types.ts';

type Match = Partial<L4MatchAttributes & TLSMatchAttributes>;

function conditionsOf({ sniHosts, destinationSubnets, port }: Match): string[] {
  return [
    ...(sniHosts?.length ? [`server name is ${sniHosts.join(' or ')}`] : []),
    ...(destinationSubnets?.length ? [`destination is in ${destinationSubnets.join(' or ')}`] : []),
    ...(port ? [`port is ${port}`] : []),
  ];
}

/**
 * The TLS and TCP rules of VirtualServices that a proxy uses for connections to a host and port, in their order. Rules for other clients
 * are left out.
 */
export function layer4Routes(
  mesh: Mesh,
  proxy: ProxyNode,
  views: readonly VirtualServiceView[],
  host: string,
  port: number,
  gateway = 'mesh',
): { view: VirtualServiceView; use: RouteUse; path: readonly (string | number)[] }[] {
  const out: { view: VirtualServiceView; use: RouteUse; path: readonly (string | number)[] }[] = [];
  for (const view of views) {
    if (!view.hosts.some((h) => covers(h, host))) continue;
    const { namespace } = view.resource.metadata;
    for (const kind of ['tls', 'tcp'] as const) {
      let taken: RouteUse | undefined;
      for (const [i, rule] of (view.spec[kind] ?? []).entries()) {
        const matches: readonly Match[] = rule.match?.length ? rule.match : [{}];
        for (const [j, match] of matches.entries()) {
          if (!layer4SourceHolds(match, proxy, namespace, gateway, port)) continue;
          const path = ['spec', kind, i, ...(rule.match?.length ? ['match', j] : [])];
          const conditions = conditionsOf(match);
          const use: RouteUse = {
            number: out.length + 1,
            name: '',
            protocol: kind === 'tls' ? 'TLS' : 'TCP',
            conditions,
            kind: 'forward',
            destinations: destinationsOf(mesh, rule.route ?? [], namespace, port),
            settings: [],
            origin: originAt(view.resource, path),
            ...(taken && {
              shadow: { why: `route #${taken.number} takes every such connection before it`, ...(taken.origin && { by: taken.origin }) },
            }),
          };
          if (conditions.length === 0 || conditions.every((c) => c === `port is ${port}`)) taken ??= use;
          out.push({ view, use, path });
        }
      }
    }
  }
  return out;
}

function destinationsOf(mesh: Mesh, routes: readonly Layer4Destination[], namespace: string, port: number): RouteUse['destinations'] {
  const total = routes.reduce((n, r) => n + (r.weight ?? 0), 0);
  return routes.flatMap(({ destination: d, weight = 0 }) => {
    const share = routes.length === 1 ? 1 : total === 0 ? 0 : weight / total;
    if (share === 0) return [];
    const service = mesh.completeHost(d.host, namespace);
    const number = d.port?.number ?? port;
    const subset = d.subset ?? '';
    return [{ cluster: clusterName('outbound', number, subset, service), service, port: number, ...(subset && { subset }), share }];
  });
}
