import type { UpstreamHost } from '../host.ts';

/** What a host is hashed by: `metadata["envoy.lb"].hash_key`, else its name when asked for, else its address. */
export function hashKey(host: UpstreamHost, useHostname: boolean): string {
  const lb = (host.metadata['envoy.lb'] ?? {}) as Readonly<Record<string, unknown>>;
  const key = Object.hasOwn(lb, 'hash_key') ? lb['hash_key'] : undefined;
  if (typeof key === 'string' && key !== '') return key;
  return useHostname && host.hostname !== '' ? host.hostname : host.address;
}

/** A request without a hash goes anywhere. */
export function randomHash(random: () => number): bigint {
  return (BigInt(Math.floor(random() * 0x1_0000_0000)) << 32n) | BigInt(Math.floor(random() * 0x1_0000_0000));
}
