import type { ProxyView } from './view.ts';

/** Names that a proxy was configured with, catch-alls apart. */
interface Names {
  readonly exact: ReadonlySet<string>;
  /** `.example.com` of `*.example.com`. */
  readonly suffixes: readonly string[];
}

const names = new WeakMap<ProxyView, Names>();

/** Whether a proxy has routes (or TLS names) for a host, catch-alls apart: it was configured with this host in mind. */
export function servesHost(view: ProxyView, host: string): boolean {
  let known = names.get(view);
  if (known === undefined) {
    known = namesOf(view);
    names.set(view, known);
  }
  const wanted = host.toLowerCase();
  return known.exact.has(wanted) || known.suffixes.some((suffix) => wanted.endsWith(suffix) && wanted.length > suffix.length);
}

function namesOf(view: ProxyView): Names {
  const inline = view.listeners.flatMap((l) => [
    ...(l.filterChains ?? []),
    ...(l.defaultFilterChain === undefined ? [] : [l.defaultFilterChain]),
  ]);
  const exact = new Set<string>();
  const suffixes = new Set<string>();
  const add = (domain: string): void => {
    const name = domain.toLowerCase().replace(/:(?:\d+|\*)$/, '');
    if (name === '*' || name === '') return;
    if (name.startsWith('*')) suffixes.add(name.slice(1));
    else exact.add(name);
  };
  for (const { virtualHosts = [] } of view.routes) for (const { domains = [] } of virtualHosts) domains.forEach(add);
  for (const { filterChainMatch } of inline) filterChainMatch?.serverNames?.forEach(add);
  return { exact, suffixes: [...suffixes] };
}
