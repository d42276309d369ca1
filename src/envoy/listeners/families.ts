import type { AdditionalAddressJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import { isIp } from '../../mesh/addresses.ts';
import type { ProxyNode } from '../../mesh/types.ts';
import { listenerAddress, WILDCARD } from './address.ts';

/** All IPv6 addresses. */
const WILDCARD_V6 = '::';

/** Where a listener is: an address, and others besides. */
export interface Places {
  bind: string;
  more: readonly string[];
}

const isV6 = (address: string): boolean => address.includes(':');

/** True for proxies that have addresses of IPv6 and of no other family. */
export function isV6Only({ ips }: Pick<ProxyNode, 'ips'>): boolean {
  return ips.length > 0 && ips.every(isV6);
}

/**
 * All addresses on which connections can be redirected to a proxy: of the families that it has itself. Envoy hands a redirected connection
 * to a listener on all addresses of its own family only.
 */
export function wildcards(proxy: Pick<ProxyNode, 'ips' | 'interception'>): Places {
  if (proxy.interception === 'NONE' || !proxy.ips.some(isV6)) return { bind: WILDCARD, more: [] };
  return isV6Only(proxy) ? { bind: WILDCARD_V6, more: [] } : { bind: WILDCARD, more: [WILDCARD_V6] };
}

/** The addresses of a service by which a captured application calls it: the first of each family that the proxy has. */
export function virtualAddresses({ ips }: Pick<ProxyNode, 'ips'>, addresses: readonly string[]): Places | undefined {
  const [first] = addresses;
  if (first === undefined) return undefined;
  if (!ips.some(isV6)) return { bind: first, more: [] };
  const usable = [false, true].filter((v6) => ips.some((ip) => isV6(ip) === v6));
  const [bind = first, ...more] = usable.flatMap((v6) => addresses.find((a) => isIp(a) && isV6(a) === v6) ?? []);
  return { bind, more };
}

export const isWildcardBind = (bind: string): boolean => bind === WILDCARD || bind === WILDCARD_V6;

/** Envoy's field for the addresses besides the first. */
export function additionalAddresses(more: readonly string[], port: number): { additionalAddresses?: AdditionalAddressJson[] } {
  return more.length === 0 ? {} : { additionalAddresses: more.map((bind) => ({ address: listenerAddress(bind, port) })) };
}
