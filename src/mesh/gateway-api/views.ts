import type { Resource } from '../../config/resource.ts';
import { compareSpecificity, covers } from '../host-match.ts';
import { getOrMake } from '../memo.ts';
import type { HttpRule, RoutedSpec, VirtualServiceView } from '../types.ts';
import type { ApiListener } from './listeners.ts';
import { compareEntries } from './precedence.ts';
import type { RuleEntry } from './rules.ts';

interface Attachment {
  readonly hosts: readonly string[];
  readonly gateway: string;
  readonly exportTo: readonly string[];
  readonly entries: RuleEntry[];
}

/** What is attached to listeners and Services, before it is put in order. */
export class Attachments {
  readonly #views = new Map<string, Attachment>();

  /** @param exportTo the namespaces whose proxies it is for */
  add(gateway: string, host: string, exportTo: readonly string[], entries: readonly RuleEntry[]): void {
    const id = `${gateway} ${host} ${exportTo.join()}`;
    const known = getOrMake(this.#views, id, () => ({ hosts: [host], gateway, exportTo, entries: [] })).entries;
    const [first] = entries;
    // Two parentRefs may mean the same listener.
    if (!known.some((e) => e.route === first?.route && e.match?.port === first.match?.port)) known.push(...entries);
  }

  /** One view for each host of each listener, with the matches of all its routes in the order in which they are tried. */
  views(): VirtualServiceView[] {
    return [...this.#views].filter(([, { entries }]) => entries.length > 0).map(([id, attachment]) => httpView(id, attachment));
  }
}

function httpView(id: string, { hosts, gateway, exportTo, entries }: Attachment): VirtualServiceView {
  const sorted = [...entries].sort(compareEntries);
  const http = sorted.map(({ rule, match }): HttpRule => (match === undefined ? rule : { ...rule, match: [match] }));
  return {
    ...view(id, sorted[0]!.route, hosts, gateway, { http }),
    exportTo,
    httpOrigins: sorted.map(({ route, path, matchPath }) => ({ resource: route, path, matches: [{ resource: route, path: matchPath }] })),
  };
}

/** A view of a route; it is no VirtualService, but everything reads it as one. */
export function view(id: string, resource: Resource, hosts: readonly string[], gateway: string, spec: RoutedSpec): VirtualServiceView {
  return { id, resource, hosts, gateways: [gateway], spec, httpOrigins: [], exportTo: ['*'] };
}

/**
 * The hosts of a route at a listener without those that a more specific listener of the port has: a request is for the most specific
 * listener, and what is attached to others is none of its business.
 */
export function isolated(hosts: readonly string[], listener: ApiListener, all: readonly ApiListener[]): string[] {
  const narrower = all.filter(
    (other) =>
      other.spec.port === listener.spec.port &&
      other.usable &&
      compareSpecificity(other.hostname, listener.hostname) < 0 &&
      covers(listener.hostname, other.hostname),
  );
  return hosts.filter((host) => !narrower.some((other) => covers(other.hostname, host)));
}
