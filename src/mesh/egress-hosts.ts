import { covers, intersects, isWildcard } from './host-match.ts';
import { getOrMake } from './memo.ts';

interface HostSet {
  exact: Set<string>;
  wildcards: string[];
}

/** The `hosts` of a Sidecar's egress listener, read. */
export interface EgressHosts {
  /** Whether a service of `namespace` is imported: its host lies within one of the hosts. */
  importsService(namespace: string, host: string): boolean;
  /** Whether a VirtualService of `namespace` is imported: one of its hosts has something in common with one of the hosts. */
  importsVirtualService(namespace: string, hosts: readonly string[]): boolean;
}

function parse(hosts: readonly string[], ownNamespace: string): { include: Map<string, HostSet>; exclude: Map<string, HostSet> } {
  const include = new Map<string, HostSet>();
  const exclude = new Map<string, HostSet>();
  for (const text of hosts) {
    const parts = text.split('/');
    let [namespace, name] = parts as [string, string | undefined];
    // Validation has refused these.
    if (parts.length !== 2 || !namespace || !name) continue;
    let to = include;
    if (namespace.startsWith('~')) {
      to = exclude;
      // `~/host` leaves the host out whatever its namespace.
      namespace = namespace.slice(1) || '*';
    }
    if (namespace === '.') namespace = ownNamespace;
    const set = getOrMake<string, HostSet>(to, namespace, () => ({ exact: new Set(), wildcards: [] }));
    const host = name.toLowerCase();
    if (isWildcard(host)) set.wildcards.push(host);
    else set.exact.add(host);
  }
  return { include, exclude };
}

function within(set: HostSet | undefined, host: string): boolean {
  return set !== undefined && (set.exact.has(host) || set.wildcards.some((wildcard) => covers(wildcard, host)));
}

function touches(set: HostSet | undefined, host: string): boolean {
  if (set === undefined) return false;
  if (set.exact.has(host) || set.wildcards.some((wildcard) => intersects(wildcard, host))) return true;
  if (!isWildcard(host)) return false;
  for (const exact of set.exact) if (covers(host, exact)) return true;
  return false;
}

/** Reads `<namespace>/<dnsName>` hosts: namespace `*` any, `.` that of the proxies, `~` excludes. What cannot be read is left out. */
export function parseEgressHosts(hosts: readonly string[], ownNamespace: string): EgressHosts {
  const { include, exclude } = parse(hosts, ownNamespace);
  const any = include.get('*');
  const never = exclude.get('*');
  return {
    importsService(namespace, host) {
      if (!within(include.get(namespace), host) && !within(any, host)) return false;
      return !within(never, host) && !within(exclude.get(namespace), host);
    },
    importsVirtualService(namespace, names) {
      const own = include.get(namespace);
      const without = exclude.get(namespace);
      return names.some((host) => (touches(own, host) || touches(any, host)) && !within(never, host) && !within(without, host));
    },
  };
}
