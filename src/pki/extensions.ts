/** X.509 extensions: RFC 5280 4.2.1. */
import { type Asn1, bits, boolean, context, integer, octets, oid, sequence, toDer } from './asn1.ts';
import { generalNames, type SubjectAltName } from './names.ts';
import { OID } from './oids.ts';

/** Names that certificates under an intermediate may have; whatever is not named is free. RFC 5280 4.2.1.10. */
export interface NameConstraints {
  /** Hosts of URIs, for SPIFFE IDs the trust domain. */
  permittedUriHosts?: readonly string[];
  /** DNS suffixes: `example.com` covers itself and all below. */
  permittedDns?: readonly string[];
}

/** Bits of keyUsage by their places. */
export const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

export function extension(id: string, critical: boolean, value: Asn1): Asn1 {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(toDer(value)));
}

export const subjectKeyIdentifier = (id: Uint8Array): Asn1 => extension(OID.subjectKeyIdentifier, false, octets(id));

export const authorityKeyIdentifier = (id: Uint8Array): Asn1 => extension(OID.authorityKeyIdentifier, false, sequence(context(0, id)));

/** Critical when there is no subject: RFC 5280 4.2.1.6. */
export const subjectAltName = (sans: readonly SubjectAltName[], critical: boolean): Asn1 =>
  extension(OID.subjectAltName, critical, generalNames(sans));

export function basicConstraints(ca: boolean, pathLength?: number): Asn1 {
  const value = ca ? [boolean(true), ...(pathLength === undefined ? [] : [integer(pathLength)])] : [];
  return extension(OID.basicConstraints, true, sequence(...value));
}

export function keyUsage(usages: readonly KeyUsage[]): Asn1 {
  const places = usages.map((usage) => KEY_USAGES.indexOf(usage));
  const last = Math.max(...places);
  const bytes = Buffer.alloc((last >> 3) + 1);
  for (const place of places) bytes[place >> 3]! |= 0x80 >> (place & 7);
  return extension(OID.keyUsage, true, bits(bytes, 7 - (last & 7)));
}

export const extendedKeyUsage = (purposes: readonly string[]): Asn1 =>
  extension(OID.extendedKeyUsage, false, sequence(...purposes.map(oid)));

export function nameConstraints({ permittedUriHosts = [], permittedDns = [] }: NameConstraints): Asn1 {
  const subtree = (tag: number, value: string): Asn1 => sequence(context(tag, Buffer.from(value, 'latin1')));
  const permitted = [...permittedUriHosts.map((host) => subtree(6, host)), ...permittedDns.map((name) => subtree(2, name))];
  return extension(OID.nameConstraints, true, sequence(context(0, permitted)));
}
