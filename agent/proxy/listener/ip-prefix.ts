import { isIPv4, isIPv6 } from 'node:net';

/** An address as bytes: 4, or 16; IPv4-mapped IPv6 counts as IPv4. Undefined when it is neither. */
export function parseIp(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (!isIPv6(text)) return undefined;
  let [plain] = text.split('%') as [string];
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(plain);
  if (dotted !== null) {
    const [a, b, c, d] = dotted.slice(2).map(Number) as [number, number, number, number];
    plain = `${dotted[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...new Array<string>(8 - left.length - right.length).fill('0'), ...right];
  const bytes = new Uint8Array(16);
  groups.forEach((group, i) => {
    const value = Number.parseInt(group, 16);
    bytes[2 * i] = value >> 8;
    bytes[2 * i + 1] = value & 255;
  });
  const mapped = bytes.subarray(0, 10).every((b) => b === 0) && bytes[10] === 255 && bytes[11] === 255;
  return mapped ? bytes.slice(12) : bytes;
}

export interface IpPrefix {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** A CidrRange; undefined when the address or the length is none. An unset length is 0, as in Envoy. */
export function parsePrefix(range: { addressPrefix?: string; prefixLen?: number | null }): IpPrefix | undefined {
  const bytes = parseIp(range.addressPrefix ?? '');
  const length = range.prefixLen ?? 0;
  return bytes === undefined || length < 0 || length > bytes.length * 8 ? undefined : { bytes, length };
}

export function prefixContains(prefix: IpPrefix, ip: Uint8Array): boolean {
  if (prefix.bytes.length !== ip.length) return false;
  const whole = prefix.length >> 3;
  for (let i = 0; i < whole; i++) if (prefix.bytes[i] !== ip[i]) return false;
  const rest = prefix.length & 7;
  return rest === 0 || ((prefix.bytes[whole]! ^ ip[whole]!) & (0xff00 >> rest) & 0xff) === 0;
}
