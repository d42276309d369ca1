import { isIP } from 'node:net';
import type { SubjectAltName } from './names.ts';

/**
 * Whether a certificate's name is the one that was asked for: SPIFFE IDs and addresses exactly, host names without regard to case, a
 * wildcard as the whole leftmost label (RFC 6125 6.4.3).
 */
export function sanMatches(san: SubjectAltName, name: string): boolean {
  if (san.type === 'uri') return san.value === name;
  if (san.type === 'ip') return isIP(name) !== 0 && san.value === canonicalAddress(name);
  if (san.type !== 'dns') return false;
  const wanted = name.toLowerCase().replace(/\.$/, '');
  const pattern = san.value.toLowerCase();
  if (!pattern.startsWith('*.')) return pattern === wanted;
  const dot = wanted.indexOf('.');
  return dot > 0 && wanted.slice(dot) === pattern.slice(1) && wanted.slice(dot + 1).includes('.');
}

function canonicalAddress(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
