/**
 * Host names as Istio reads them. Wildcards are `*` and `*.suffix`; `*.foo.com` covers `a.foo.com` and `*.a.foo.com`, not `foo.com`.
 */

/** True for `*` and `*.foo.com`. */
export function isWildcard(host: string): boolean {
  return host.startsWith('*');
}

/**
 * A host without a dot becomes `<host>.<namespace>.svc.<domain>`, where `namespace` is that of the resource which names it; `*`,
 * addresses and names with dots stay. Always lower case.
 */
export function completeHost(host: string, namespace: string, domain: string): string {
  const lower = host.toLowerCase();
  // IPv6 literals have no dot but a colon.
  if (lower === '' || lower === '*' || lower.includes('.') || lower.includes(':')) return lower;
  return `${lower}.${namespace}.svc.${domain}`;
}

/** Whether every name that `host` stands for is one of `pattern`'s. */
export function covers(pattern: string, host: string): boolean {
  if (pattern === host || pattern === '*') return true;
  return pattern.startsWith('*') && host !== '*' && host.length >= pattern.length && host.endsWith(pattern.slice(1));
}

/** Whether some name belongs to both. */
export function intersects(a: string, b: string): boolean {
  return covers(a, b) || covers(b, a);
}

/** The more specific host of every pair that overlaps, without repetitions, in the order of `hosts`. */
export function intersectHosts(hosts: readonly string[], others: readonly string[]): string[] {
  const out = new Set<string>();
  for (const host of hosts) {
    for (const other of others) {
      if (covers(other, host)) out.add(host);
      else if (covers(host, other)) out.add(other);
    }
  }
  return [...out];
}

/** Most specific first: exact before wildcard, longer before shorter, then alphabetical. */
export function compareSpecificity(a: string, b: string): number {
  const wild = Number(isWildcard(a)) - Number(isWildcard(b));
  return wild || b.length - a.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** Every pattern that covers `host`, most specific first, itself included: `a.b.c`, `*.b.c`, `*.c`, `*`. */
export function* coveringPatterns(host: string): Generator<string> {
  yield host;
  if (host === '*') return;
  for (let dot = host.indexOf('.', host.startsWith('*.') ? 2 : 0); dot !== -1; dot = host.indexOf('.', dot + 1))
    yield `*${host.slice(dot)}`;
  yield '*';
}

/** The value of the most specific key that covers `host`. */
export function mostSpecific<T>(byHost: ReadonlyMap<string, T>, host: string): T | undefined {
  for (const pattern of coveringPatterns(host)) {
    const found = byHost.get(pattern);
    if (found !== undefined) return found;
  }
  return undefined;
}
