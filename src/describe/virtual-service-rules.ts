/** The HTTP rules of a VirtualService: which of them a proxy runs, and why it does not run the others. */
import type { HTTPMatchRequest } from '../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../config/resource.ts';
import { configPath, fieldOf } from '../envoy/metadata.ts';
import { routeMatch } from '../envoy/routes/match.ts';
import { httpSourceHolds } from '../envoy/routes/source.ts';
import { compileLeniently } from '../explain/routes.ts';
import type { ProxyNode, VirtualServiceView } from '../mesh/types.ts';
import { proxyName } from './clients.ts';
import { originAt } from './origin-at.ts';
import { conditionsOfRoute, type TableRoute } from './route-table.ts';
import type { Shadow } from './types.ts';

/** One match of one rule. */
export interface WrittenRule {
  /** 1-based, over the VirtualService and its delegates. */
  readonly number: number;
  readonly name: string;
  readonly match: HTTPMatchRequest | undefined;
  readonly resource: Resource;
  readonly path: FieldPath;
}

/** What is written, delegates merged in. */
export function writtenRules(view: VirtualServiceView): WrittenRule[] {
  return (view.spec.http ?? []).flatMap((rule, i): WrittenRule[] => {
    const written = view.httpOrigins[i] ?? { resource: view.resource, path: ['spec', 'http', i] };
    const base = { number: i + 1, name: rule.name ?? '' };
    if (!rule.match?.length) return [{ ...base, match: undefined, resource: written.resource, path: written.path }];
    return rule.match.map((match, j) => ({
      ...base,
      match,
      ...(written.matches?.[j] ?? { resource: written.resource, path: [...written.path, 'match', j] }),
    }));
  });
}

/** The routes that a rule became. */
export function routesOfRule(rule: WrittenRule, table: readonly TableRoute[]): TableRoute[] {
  const [config, field] = [configPath(rule.resource), fieldOf(rule.path)];
  return table.filter((route) => route.config === config && route.field === field);
}

export interface RuleContext {
  readonly view: VirtualServiceView;
  readonly proxy: ProxyNode;
  /** `mesh` or `<namespace>/<name>`. */
  readonly gateway: string;
  /** Of the hosts and ports that are asked about. */
  readonly ports: readonly number[];
  readonly table: readonly TableRoute[];
}

/** Why no request meets a rule; undefined when some do. */
export function shadowOfRule(rule: WrittenRule, { view, proxy, gateway, ports, table }: RuleContext): Shadow | undefined {
  const made = routesOfRule(rule, table);
  if (made.some((route) => route.use.shadow === undefined)) return undefined;
  if (made[0]?.use.shadow !== undefined) return made[0].use.shadow;
  const { match } = rule;
  const { namespace } = view.resource.metadata;
  if (match?.port && !ports.includes(match.port)) return { why: `it is for port ${match.port}` };
  if (match !== undefined && !httpSourceHolds(match, proxy, namespace, gateway))
    return { why: `it is for other clients than ${proxyName(proxy)}: ${sources(match)}` };
  const root = configPath(view.resource);
  const earlier = writtenRules(view).find(
    (other) => other.number < rule.number && routesOfRule(other, table).some((r) => r.root === root && r.use.conditions.length === 0),
  );
  if (earlier === undefined) return { why: LEFT_OUT };
  const name = earlier.name === '' ? '' : ` ${earlier.name}`;
  return { why: `rule #${earlier.number}${name} takes every request before it`, by: originAt(earlier.resource, earlier.path) };
}

/** Nothing says why: the generator's problems do. */
export const LEFT_OUT = 'it is left out: see the problems';

/** What a rule asks for, in the words of the routes that it becomes. */
export function conditionsOfRule({ match }: WrittenRule): string[] {
  const route = { name: 'rule', match: routeMatch(match), directResponse: { status: 200 } };
  const [host] = compileLeniently({ name: 'rule', virtualHosts: [{ name: 'rule', domains: ['*'], routes: [route] }] }).config.virtualHosts;
  const compiled = host?.routes[0];
  return [...(compiled === undefined ? [] : conditionsOfRoute(compiled)), ...(match?.port ? [`port is ${match.port}`] : [])];
}

/** The clients that a rule is for, where it is not for all. */
export function clientsOfRule({ match }: WrittenRule): string[] {
  const of = match === undefined ? '' : sources(match);
  return of === '' ? [] : [`the client has ${of}`];
}

function sources({ gateways, sourceLabels, sourceNamespace }: HTTPMatchRequest): string {
  if (gateways?.length) return `gateway ${gateways.join(' or ')}`;
  const labels = Object.entries(sourceLabels ?? {}).map(([k, v]) => `${k}=${v}`);
  return [labels.length > 0 ? `labels ${labels.join(',')}` : '', sourceNamespace ? `namespace ${sourceNamespace}` : '']
    .filter((part) => part !== '')
    .join(', ');
}
