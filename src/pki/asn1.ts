/** DER with node-forge's ASN.1: short constructors, and readers that never guess. ITU-T X.690. */
import forge from 'node-forge';

export type Asn1 = forge.asn1.Asn1;

const { asn1 } = forge;
const { Type, Class } = asn1;

const make = (type: number, constructed: boolean, value: string | Asn1[]): Asn1 => asn1.create(Class.UNIVERSAL, type, constructed, value);

export const sequence = (...items: Asn1[]): Asn1 => make(Type.SEQUENCE, true, items);
export const set = (...items: Asn1[]): Asn1 => make(Type.SET, true, items);
export const oid = (dotted: string): Asn1 => make(Type.OID, false, asn1.oidToDer(dotted).getBytes());
export const nothing = (): Asn1 => make(Type.NULL, false, '');
export const boolean = (value: boolean): Asn1 => make(Type.BOOLEAN, false, value ? '\xff' : '\x00');
export const utf8 = (text: string): Asn1 => make(Type.UTF8, false, forge.util.encodeUtf8(text));
export const octets = (bytes: Uint8Array): Asn1 => make(Type.OCTETSTRING, false, binary(bytes));

/** A positive integer from its big-endian bytes. */
export function integer(value: Uint8Array | number): Asn1 {
  const bytes = typeof value === 'number' ? numberBytes(value) : value;
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = binary(bytes.subarray(start));
  return make(Type.INTEGER, false, digits.charCodeAt(0) >= 0x80 ? `\x00${digits}` : digits);
}

function numberBytes(value: number): Uint8Array {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

/** Bits whose last byte has `unused` bits that do not count. */
export const bits = (bytes: Uint8Array, unused = 0): Asn1 => make(Type.BITSTRING, false, String.fromCharCode(unused) + binary(bytes));

/** `[n]` around others (constructed), or in place of a primitive's tag. */
export function context(tag: number, value: Asn1[] | Uint8Array): Asn1 {
  return Array.isArray(value)
    ? asn1.create(Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, true, value)
    : asn1.create(Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, false, binary(value));
}

/** RFC 5280 4.1.2.5: UTCTime until 2049, GeneralizedTime from then on; whole seconds. */
export function time(date: Date): Asn1 {
  const digits = date.toISOString().replace(/\.\d+/, '').replaceAll(/[-:T]/g, '');
  return date.getUTCFullYear() < 2050 ? make(Type.UTCTIME, false, digits.slice(2)) : make(Type.GENERALIZEDTIME, false, digits);
}

export function toDer(value: Asn1): Buffer {
  return Buffer.from(asn1.toDer(value).getBytes(), 'latin1');
}

/** Reads exactly one value. Throws a plain Error that says what is wrong with the encoding. */
export function fromDer(der: Uint8Array): Asn1 {
  return asn1.fromDer(forge.util.createBuffer(binary(der)), { strict: true, parseAllBytes: true, decodeBitStrings: false } as never);
}

const binary = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

/** The content of a primitive value. */
export function bytesOf(value: Asn1 | undefined): Buffer {
  if (value === undefined || typeof value.value !== 'string') throw new Error('a value is missing or of another type');
  return Buffer.from(value.value, 'latin1');
}

/** The values inside a constructed one. */
export function itemsOf(value: Asn1 | undefined): Asn1[] {
  if (value === undefined || !Array.isArray(value.value)) throw new Error('a sequence is missing or of another type');
  return value.value;
}

export function oidOf(value: Asn1 | undefined): string {
  if (value?.type !== Type.OID) throw new Error('an object identifier is missing');
  return asn1.derToOid(bytesOf(value).toString('latin1') as never);
}

export const isUniversal = (value: Asn1 | undefined, type: number): boolean =>
  value !== undefined && value.tagClass === Class.UNIVERSAL && value.type === type;

/** `[n]`. */
export const isContext = (value: Asn1 | undefined, tag: number): boolean =>
  value !== undefined && value.tagClass === Class.CONTEXT_SPECIFIC && (value.type as number) === tag;

export const TYPE = Type;
