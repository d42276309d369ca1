import type { HTTPRoute } from '../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../config/resource.ts';
import { mergeMatches } from './delegate-matches.ts';
import { withCompleteHosts } from './destinations.ts';
import { isExportedTo } from './export-to.ts';
import { normaliseGateway } from './gateway-names.ts';
import { completeHost } from './host-match.ts';
import { problemAt, type Report } from './problem.ts';
import type { VirtualServiceView } from './types.ts';

/** What a delegate takes from its root where it says nothing itself. */
const inherited = [
  'rewrite',
  'directResponse',
  'timeout',
  'retries',
  'fault',
  'mirror',
  'mirrors',
  'mirrorPercent',
  'mirrorPercentage',
  'corsPolicy',
  'headers',
] as const satisfies readonly (keyof HTTPRoute)[];

type Origin = VirtualServiceView['httpOrigins'][number];

/** Short host and gateway names are completed in the namespace of the resource that wrote them, before two are mixed. */
function settled(route: HTTPRoute, resource: Resource, domain: string): HTTPRoute {
  const { namespace } = resource.metadata;
  const out = withCompleteHosts(route, (host) => completeHost(host, namespace, domain));
  if (route.match?.some((m) => m.gateways)) {
    out.match = route.match.map((m) => (m.gateways ? { ...m, gateways: m.gateways.map((g) => normaliseGateway(g, namespace)) } : m));
  }
  return out;
}

/** One route of a delegate in the place of the root's, or undefined when their matches have nothing in common. */
function mergeRoute(root: HTTPRoute, own: HTTPRoute, at: { root: Origin; own: Origin }): { route: HTTPRoute; origin: Origin } | undefined {
  const matches = mergeMatches(root.match ?? [], own.match ?? []);
  if (matches === undefined) return undefined;
  const route: HTTPRoute = { ...own };
  const name = [root.name, own.name].filter(Boolean).join('-');
  if (name) route.name = name;
  if (matches.length > 0) route.match = matches.map((m) => m.match);
  for (const field of inherited) {
    if (route[field] === undefined && root[field] !== undefined) Object.assign(route, { [field]: root[field] });
  }
  const matchAt = (origin: Origin, index: number): { resource: Origin['resource']; path: FieldPath } => ({
    resource: origin.resource,
    path: [...origin.path, 'match', index],
  });
  const origins = matches.map((m) => (m.delegate !== undefined ? matchAt(at.own, m.delegate) : matchAt(at.root, m.root as number)));
  return { route, origin: { ...at.own, matches: origins } };
}

/** `<namespace>/<name>` of a delegate that a route of `root` names. */
function delegateName(root: VirtualServiceView, { namespace, name }: NonNullable<HTTPRoute['delegate']>): string {
  return `${namespace || root.resource.metadata.namespace}/${name ?? ''}`;
}

/** The delegates that a VirtualService names, in order. */
export function delegateNames(root: VirtualServiceView): string[] {
  return (root.spec.http ?? []).flatMap((route) => (route.delegate ? [delegateName(root, route.delegate)] : []));
}

/**
 * A VirtualService with the routes of its delegates in the places of the routes that name them. One level: a delegate's own delegates
 * are not followed. What cannot be merged is dropped and reported; the rest of the VirtualService stays.
 */
export function mergeDelegates(
  root: VirtualServiceView,
  delegates: ReadonlyMap<string, VirtualServiceView>,
  domain: string,
  report: Report,
): VirtualServiceView {
  const http: HTTPRoute[] = [];
  const origins: Origin[] = [];
  const { resource } = root;
  const { namespace } = resource.metadata;
  for (const [index, written] of (root.spec.http ?? []).entries()) {
    const rootOrigin = root.httpOrigins[index] as Origin;
    if (written.delegate === undefined) {
      http.push(written);
      origins.push(rootOrigin);
      continue;
    }
    const path = [...rootOrigin.path, 'delegate'];
    const name = delegateName(root, written.delegate);
    const drop = (rule: string, message: string, hint?: string): void =>
      report(problemAt(resource, path, { severity: 'warning', rule: `delegate/${rule}`, message, ...(hint !== undefined && { hint }) }));
    const delegate = delegates.get(name);
    if (delegate === undefined) {
      drop(
        'missing',
        `no delegate ${name}: the route is dropped`,
        'a delegate is a VirtualService without hosts; without a namespace it is looked for in that of the root',
      );
      continue;
    }
    if (!isExportedTo(delegate.exportTo, namespace)) {
      drop('not-exported', `delegate ${name} is not exported to namespace ${namespace}: the route is dropped`);
      continue;
    }
    const { delegate: _, ...bare } = written;
    const from = settled(bare, resource, domain);
    for (const [at, own] of (delegate.spec.http ?? []).entries()) {
      const ownOrigin = delegate.httpOrigins[at] as Origin;
      if (own.delegate !== undefined) {
        report(
          problemAt(delegate.resource, [...ownOrigin.path, 'delegate'], {
            severity: 'warning',
            rule: 'delegate/nested',
            message: `a delegate cannot delegate: the route is dropped where ${resource.metadata.namespace}/${resource.metadata.name} uses it`,
          }),
        );
        continue;
      }
      const merged = mergeRoute(from, settled(own, delegate.resource, domain), { root: rootOrigin, own: ownOrigin });
      if (merged === undefined) {
        report(
          problemAt(delegate.resource, [...ownOrigin.path, 'match'], {
            severity: 'warning',
            rule: 'delegate/conflict',
            message: `the route is dropped: a match lets through what no match of http[${index}] of ${namespace}/${resource.metadata.name} does`,
            hint: 'each match must narrow one of the root: the same text or a longer prefix, and no regular expression on either side',
          }),
        );
        continue;
      }
      http.push(merged.route);
      origins.push(merged.origin);
    }
  }
  return { ...root, spec: { ...root.spec, http }, httpOrigins: origins };
}
