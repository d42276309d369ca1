import { isIp } from '../../mesh/addresses.ts';
import { isWildcard } from '../../mesh/host-match.ts';
import type { ProxyNode, Service } from '../../mesh/types.ts';

/** A virtual host's domains, and which of them are short forms that Istio made up. */
export interface Domains {
  domains: string[];
  generated: ReadonlySet<string>;
}

/** A host or address as it stands in a virtual host's domains: IPv6 in brackets. */
export function domainOf(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** `svc`, `svc.ns.svc`, `svc.ns` in the proxy's own namespace; `svc.ns`, `svc.ns.svc` from another. None for hosts outside the cluster's domain. */
export function shortForms(host: string, proxy: Pick<ProxyNode, 'namespace'>, domain: string): string[] {
  const suffix = `.svc.${domain}`;
  if (!host.endsWith(suffix) || isWildcard(host)) return [];
  const base = host.slice(0, -suffix.length);
  const dot = base.indexOf('.');
  if (dot < 0) return [];
  return base.slice(dot + 1) === proxy.namespace ? [base.slice(0, dot), `${base}.svc`, base] : [base, `${base}.svc`];
}

/** The addresses that clients call a service by: no CIDR and no 0.0.0.0. */
export function callableAddresses(services: readonly Service[]): string[] {
  const out = new Set<string>();
  for (const service of services) {
    for (const address of service.addresses) if (!address.includes('/') && address !== '0.0.0.0' && address !== '::') out.add(address);
  }
  return [...out];
}

/**
 * The domains of a service's virtual host, in Istio's order: host and aliases, each with its trailing-dot form and short forms;
 * for headless Kubernetes services `*.` plus each of these; then the addresses.
 *
 * @param services all that share the host (a ServiceEntry gives one per address); the first one speaks for them
 */
export function serviceDomains(services: readonly Service[], proxy: ProxyNode, domain: string): Domains {
  const [service] = services as [Service];
  const domains: string[] = [];
  const generated = new Set<string>();
  for (const host of [service.host, ...service.aliases.map((a) => a.host)]) {
    domains.push(domainOf(host));
    // A name that ends in a dot is not searched for in the resolver's domains; applications send it as it is.
    if (!isIp(host)) domains.push(`${host}.`);
    for (const short of shortForms(host, proxy, domain)) {
      domains.push(short);
      generated.add(short);
    }
  }
  if (service.headless && service.registry === 'Kubernetes') for (const name of [...domains]) domains.push(`*.${name}`);
  for (const address of callableAddresses(services)) domains.push(domainOf(address));
  return { domains, generated };
}

/** The forms of a listener that serves every port: plain and with the port, or, for ports other than 80, only with it. */
export function withPort(names: Domains, port: number): Domains {
  const domains = names.domains.flatMap((d) => (port === 80 ? [d, `${d}:${port}`] : [`${d}:${port}`]));
  return { domains, generated: names.generated };
}
