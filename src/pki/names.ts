/** Distinguished names and subject alternative names: RFC 5280 4.1.2.4 and 4.2.1.6. */
import { isIP } from 'node:net';
import { type Asn1, bytesOf, context, itemsOf, oid, oidOf, sequence, set, utf8 } from './asn1.ts';
import { OID } from './oids.ts';

/** A subject's parts; an empty one is no subject. */
export interface Subject {
  commonName?: string;
  organization?: string;
}

export function nameOf({ commonName, organization }: Subject): Asn1 {
  const part = (id: string, text: string | undefined): Asn1[] => (text ? [set(sequence(oid(id), utf8(text)))] : []);
  return sequence(...part(OID.organization, organization), ...part(OID.commonName, commonName));
}

const SHORT: Readonly<Record<string, string>> = {
  [OID.commonName]: 'CN',
  [OID.country]: 'C',
  [OID.locality]: 'L',
  [OID.state]: 'ST',
  [OID.organization]: 'O',
  [OID.organizationalUnit]: 'OU',
};

/** `O = Fairlead, CN = mesh root`, as openssl prints it; empty for no name. */
export function formatName(name: Asn1): string {
  return itemsOf(name)
    .flatMap(itemsOf)
    .map((attribute) => {
      const [id, value] = itemsOf(attribute);
      const dotted = oidOf(id);
      return `${SHORT[dotted] ?? dotted} = ${bytesOf(value).toString('utf8')}`;
    })
    .join(', ');
}

export type SanType = 'uri' | 'dns' | 'ip' | 'email' | 'other';

/** `value`: a URI, a host name, an address in text, a mailbox; hex of what is none of these. */
export interface SubjectAltName {
  type: SanType;
  value: string;
}

const TAGS: Readonly<Record<Exclude<SanType, 'other'>, number>> = { email: 1, dns: 2, uri: 6, ip: 7 };

/** GeneralNames. Values are IA5: ASCII, checked by whoever makes the template. */
export function generalNames(sans: readonly SubjectAltName[]): Asn1 {
  return sequence(
    ...sans.map(({ type, value }) => {
      if (type === 'other') throw new Error('names of other types are only read');
      return context(TAGS[type], type === 'ip' ? addressBytes(value) : Buffer.from(value, 'latin1'));
    }),
  );
}

export function readGeneralNames(names: Asn1): SubjectAltName[] {
  return itemsOf(names).map((name) => {
    const type = (Object.keys(TAGS) as (keyof typeof TAGS)[]).find((key) => TAGS[key] === (name.type as number));
    if (type === undefined || typeof name.value !== 'string') return { type: 'other', value: `[${name.type}]` };
    const bytes = bytesOf(name);
    return { type, value: type === 'ip' ? addressText(bytes) : bytes.toString('latin1') };
  });
}

function addressBytes(text: string): Buffer {
  if (isIP(text) === 4) return Buffer.from(text.split('.').map(Number));
  if (isIP(text) !== 6) throw new Error(`${text} is not an IP address`);
  // The URL parser writes the canonical form, with one `::` at most and no dotted quad.
  const [head = '', tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string): number[] =>
    part
      .split(':')
      .filter(Boolean)
      .map((g) => Number.parseInt(g, 16));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const all = tail === undefined ? first : [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Buffer.from(all.flatMap((g) => [g >> 8, g & 255]));
}

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return bytes.toString('hex');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
