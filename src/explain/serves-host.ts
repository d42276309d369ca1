import type { ProxyView } from './view.ts';

/** Whether a proxy has routes (or TLS names) for a host, catch-alls apart: it was configured with this host in mind. */
export function servesHost(view: ProxyView, host: string): boolean {
  const wanted = host.toLowerCase();
  const fits = (domain: string): boolean => {
    const name = domain.toLowerCase().replace(/:(?:\d+|\*)$/, '');
    if (name === '*' || name === '') return false;
    return name.startsWith('*') ? wanted.endsWith(name.slice(1)) && wanted.length >= name.length : name === wanted;
  };
  const inline = view.listeners.flatMap((l) => [
    ...(l.filterChains ?? []),
    ...(l.defaultFilterChain === undefined ? [] : [l.defaultFilterChain]),
  ]);
  return (
    view.routes.some((r) => (r.virtualHosts ?? []).some((v) => (v.domains ?? []).some(fits))) ||
    inline.some((c) => (c.filterChainMatch?.serverNames ?? []).some(fits))
  );
}
