import type { AddressJson, CidrRangeJson } from '#envoy-api/envoy/config/core/v3/address_pb.js';

/** All IPv4 addresses: where listeners without an address of their own are. */
export const WILDCARD = '0.0.0.0';
export const LOCALHOST = '127.0.0.1';

const unixScheme = 'unix://';

/** True for `unix:///path`. */
export function isUnixBind(bind: string): boolean {
  return bind.startsWith(unixScheme);
}

/** Path of a unix socket, as Envoy and route names have it. */
export function unixPath(bind: string): string {
  return bind.slice(unixScheme.length);
}

export function listenerAddress(bind: string, port: number): AddressJson {
  if (isUnixBind(bind)) return { pipe: { path: unixPath(bind) } };
  return { socketAddress: { address: bind, portValue: port } };
}

/** `10.0.0.0/8`, or a single address as a range of one. */
export function cidrRange(text: string): CidrRangeJson {
  const slash = text.indexOf('/');
  if (slash < 0) return { addressPrefix: text, prefixLen: text.includes(':') ? 128 : 32 };
  return { addressPrefix: text.slice(0, slash), prefixLen: Number(text.slice(slash + 1)) };
}
