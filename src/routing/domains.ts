import type { ProblemList } from './problems.ts';
import type { CompiledVirtualHost, DomainIndex } from './types.ts';

type Group = Map<number, Map<string, CompiledVirtualHost>>;

/** Indexes the domains of all virtual hosts; a domain may occur once. */
export function indexDomains(virtualHosts: readonly CompiledVirtualHost[], problems: ProblemList): DomainIndex {
  const exact = new Map<string, CompiledVirtualHost>();
  const suffixes: Group = new Map();
  const prefixes: Group = new Map();
  let any: CompiledVirtualHost | undefined;
  for (const host of virtualHosts) {
    if (host.domains.length === 0) problems.invalid(`${host.field}.domains`, 'must not be empty');
    host.domains.forEach((domain, i) => {
      const path = `${host.field}.domains[${i}]`;
      const name = domain.toLowerCase();
      let isNew: boolean;
      if (name === '*') {
        isNew = any === undefined;
        any ??= host;
      } else if (name.startsWith('*')) isNew = put(suffixes, name.slice(1), host);
      else if (name.endsWith('*')) isNew = put(prefixes, name.slice(0, -1), host);
      else {
        isNew = !exact.has(name);
        if (isNew) exact.set(name, host);
      }
      if (!isNew) problems.invalid(path, `only unique values for domains are permitted, ${JSON.stringify(domain)} occurs twice`);
    });
  }
  return { exact, suffixes: longestFirst(suffixes), prefixes: longestFirst(prefixes), any };
}

function put(group: Group, key: string, host: CompiledVirtualHost): boolean {
  const hosts = group.get(key.length) ?? new Map<string, CompiledVirtualHost>();
  group.set(key.length, hosts);
  if (hosts.has(key)) return false;
  hosts.set(key, host);
  return true;
}

const longestFirst = (group: Group): DomainIndex['suffixes'] =>
  [...group].sort(([a], [b]) => b - a).map(([length, hosts]) => ({ length, hosts }));

/** With more replacements an index is made anew. */
const MOST_REPLACED = 512;

/**
 * The index of `before` for other virtual hosts with the very same domains at the same places; undefined when they have others. It costs
 * what changed, where an index costs all domains.
 */
export function replaceHosts(
  before: { virtualHosts: readonly CompiledVirtualHost[]; domains: DomainIndex },
  hosts: readonly CompiledVirtualHost[],
): DomainIndex | undefined {
  const { virtualHosts: old, domains: index } = before;
  if (old.length !== hosts.length) return undefined;
  const indexed = new Map([...(index.replaced ?? [])].map(([original, current]) => [current, original]));
  const replaced = new Map(index.replaced);
  for (const [i, host] of hosts.entries()) {
    const was = old[i]!;
    if (was === host) continue;
    if (was.domains.length !== host.domains.length || was.domains.some((domain, d) => domain !== host.domains[d])) return undefined;
    replaced.set(indexed.get(was) ?? was, host);
  }
  return replaced.size > MOST_REPLACED ? undefined : { ...index, replaced };
}

/** The virtual host of a host name in lower case. A wildcard stands for at least one character. */
export function findVirtualHost(index: DomainIndex, name: string): CompiledVirtualHost | undefined {
  const found = findIndexed(index, name);
  return found && (index.replaced?.get(found) ?? found);
}

function findIndexed(index: DomainIndex, name: string): CompiledVirtualHost | undefined {
  const exact = index.exact.get(name);
  if (exact !== undefined) return exact;
  for (const { length, hosts } of index.suffixes) {
    if (length >= name.length) continue;
    const found = hosts.get(name.slice(-length));
    if (found !== undefined) return found;
  }
  for (const { length, hosts } of index.prefixes) {
    if (length >= name.length) continue;
    const found = hosts.get(name.slice(0, length));
    if (found !== undefined) return found;
  }
  return index.any;
}

/** A host name without its port. An IPv6 address keeps its brackets. */
export function withoutPort(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon < 0 || host.indexOf(']', colon) >= 0 ? host : host.slice(0, colon);
}
