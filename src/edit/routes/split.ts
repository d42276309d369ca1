import type { DestinationRule, HTTPRoute, HTTPRouteDestination } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import { FairleadError } from '../../errors.ts';
import { mostSpecific } from '../../mesh/host-match.ts';
import type { Mesh } from '../../mesh/types.ts';
import type { Edits } from '../draft.ts';
import type { RoutedHost } from './service-host.ts';

/** A share of a route: `v2=10`, `HOST/SUBSET=10`, `HOST/=10`. */
export interface Share {
  /** undefined: the service's own. */
  host: string | undefined;
  /** undefined: all endpoints of the host. */
  subset: string | undefined;
  weight: number;
}

/** Reads `v1=90`, `other.ns/v2=10` and `other/=10`. Throws E_USAGE. */
export function parseShare(text: string): Share {
  const found = /^(?:([^=/]+)\/)?([^=/]*)=(\d{1,3})$/.exec(text);
  const [, host, subset = '', weight] = found ?? [];
  if (found === null || (host === undefined && subset === '') || Number(weight) > 100)
    throw new FairleadError('E_USAGE', `${JSON.stringify(text)} is not a share of a route`, {
      next: 'Write SUBSET=PERCENT, as in `v1=90 v2=10`, or HOST/SUBSET=PERCENT for another service; HOST/=PERCENT means all of its endpoints.',
    });
  return { host, subset: subset === '' ? undefined : subset, weight: Number(weight) };
}

/** Shares are percent: they must add up. Throws E_USAGE. */
export function checkShares(shares: readonly Share[]): void {
  const sum = shares.reduce((total, share) => total + share.weight, 0);
  const names = shares.map(({ host, subset }) => `${host ?? ''}/${subset ?? ''}`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new FairleadError('E_USAGE', `${twice.replace(/^\//, '')} is named twice`);
  if (sum !== 100)
    throw new FairleadError('E_USAGE', `the shares add up to ${sum}, not to 100`, { next: 'Shares are percent of the requests.' });
}

/** A route whose requests are shared so. Destinations that were there keep what else is written in them. */
export function withShares(route: HTTPRoute, shares: readonly Share[], own: string, complete: (host: string) => string): HTTPRoute {
  const before = route.route ?? [];
  const destinations = shares.map(({ host, subset, weight }): HTTPRouteDestination => {
    const wanted = complete(host ?? own);
    const known = before.find((d) => complete(d.destination.host) === wanted && (d.destination.subset ?? undefined) === subset);
    // The port that the other destinations name is this one's too.
    const port = before.find((d) => complete(d.destination.host) === wanted)?.destination.port;
    return { ...(known ?? { destination: { host: host ?? own, ...(subset ? { subset } : {}), ...(port ? { port } : {}) } }), weight };
  });
  const only = destinations.length === 1 && before.length <= 1 ? destinations[0] : undefined;
  if (only && before[0]?.weight === undefined) delete only.weight;
  return { ...route, route: destinations };
}

/** The DestinationRule of a host that subsets are looked up in: the oldest in the service's namespace, else anywhere. */
export function ruleOf(mesh: Mesh, { host, service }: RoutedHost): Resource<DestinationRule> | undefined {
  const rules = mesh.ofKind<DestinationRule>('DestinationRule');
  const byHost = new Map<string, Resource<DestinationRule>>();
  const own = (rule: Resource): boolean => rule.metadata.namespace === service?.namespace;
  for (const rule of [...rules.filter(own), ...rules.filter((r) => !own(r))]) {
    const complete = mesh.completeHost(rule.spec.host, rule.metadata.namespace);
    if (!byHost.has(complete)) byHost.set(complete, rule);
  }
  return mostSpecific(byHost, host);
}

/** Versions of a service that run: the `version` labels of its endpoints. */
export function versionsOf(mesh: Mesh, { service }: RoutedHost): string[] {
  if (service === undefined) return [];
  const versions = service.ports.flatMap((port) => mesh.endpoints(service, port).map((endpoint) => endpoint.labels['version']));
  return [...new Set(versions.filter((version) => version !== undefined && version !== ''))].sort() as string[];
}

/**
 * Makes sure that the subsets are there: those that no DestinationRule defines are added, for versions that run. Throws
 * E_SUBSET_UNKNOWN with the subsets and versions there are.
 */
export function ensureSubsets(mesh: Mesh, draft: Edits, target: RoutedHost, subsets: readonly string[], newFile: NewFile): void {
  const rule = ruleOf(mesh, target);
  const defined = rule?.spec.subsets ?? [];
  const missing = subsets.filter((name) => !defined.some((subset) => subset.name === name));
  if (missing.length === 0) return;
  const versions = versionsOf(mesh, target);
  const unknown = missing.find((name) => !versions.includes(name));
  if (unknown !== undefined) {
    const known = [
      defined.length > 0 ? `subsets ${defined.map((s) => s.name).join(', ')}` : 'no subsets',
      versions.length > 0 ? `running versions ${versions.join(', ')}` : 'no running endpoint with a label `version`',
    ];
    throw new FairleadError(
      'E_SUBSET_UNKNOWN',
      `${target.host} has no subset ${unknown}, and no endpoint with the label version: ${unknown}`,
      {
        next: `It has ${known.join(', and ')}.`,
      },
    );
  }
  const added = missing.map((name) => ({ name, labels: { version: name } }));
  if (rule && mesh.completeHost(rule.spec.host, rule.metadata.namespace) === target.host)
    draft.set(rule, ['spec', 'subsets'], [...defined, ...added]);
  else draft.add(newFile.file, newFile.text, newRule(target, added));
}

/** Where new resources of a service are written. */
export interface NewFile {
  file: string;
  /** undefined: it is not there yet. */
  text: string | undefined;
}

function newRule({ host, service }: RoutedHost, subsets: readonly object[]): object {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: metadataFor(host, service?.namespace),
    spec: { host: service?.registry === 'Kubernetes' ? service.name : host, subsets },
  };
}

/** A name for a new resource about a host. `default` is what a file means that names no namespace. */
export function metadataFor(host: string, namespace: string | undefined): object {
  const name = host.split('.svc.')[0]?.split('.')[0] ?? host;
  const external = !host.includes('.svc.');
  return { name: external ? host.replaceAll(/[^a-z0-9.-]/g, '-') : name, ...(namespace && namespace !== 'default' ? { namespace } : {}) };
}
