import { isIPv6 } from 'node:net';

/** Who speaks to whom, as the PROXY protocol tells it. */
export interface ProxiedAddresses {
  sourceIp: string;
  sourcePort: number;
  destinationIp: string;
  destinationPort: number;
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/**
 * The header that goes before everything else on a connection (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
 * IPv4 with IPv6 becomes IPv6 mapped.
 */
export function proxyProtocolHeader(version: 'V1' | 'V2', of: ProxiedAddresses): Buffer {
  const v6 = isIPv6(of.sourceIp) || isIPv6(of.destinationIp);
  const ip = (text: string): string => (v6 && !isIPv6(text) ? `::ffff:${text}` : text);
  const source = ip(of.sourceIp);
  const destination = ip(of.destinationIp);
  if (version === 'V1') {
    return Buffer.from(`PROXY TCP${v6 ? 6 : 4} ${source} ${destination} ${of.sourcePort} ${of.destinationPort}\r\n`, 'latin1');
  }
  const addresses = Buffer.concat([bytesOf(source), bytesOf(destination), port(of.sourcePort), port(of.destinationPort)]);
  // Version 2 and command PROXY; family and TCP; length of what follows.
  return Buffer.concat([SIGNATURE, Buffer.from([0x21, v6 ? 0x21 : 0x11, 0, addresses.length]), addresses]);
}

function port(n: number): Buffer {
  return Buffer.from([n >> 8, n & 255]);
}

/** 4 or 16 bytes. */
function bytesOf(ip: string): Buffer {
  if (!isIPv6(ip)) return Buffer.from(ip.split('.').map(Number));
  const [head = '', tail] = withoutDots(ip.split('%')[0]!).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const first = groups(head);
  const last = groups(tail ?? '');
  const all = tail === undefined ? first : [...first, ...new Array<string>(8 - first.length - last.length).fill('0'), ...last];
  return Buffer.concat(all.map((group) => port(Number.parseInt(group, 16))));
}

/** `::ffff:1.2.3.4` as `::ffff:102:304`. */
function withoutDots(ip: string): string {
  return ip.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, a, b, c, d) => {
    const group = (high: string, low: string): string => (Number(high) * 256 + Number(low)).toString(16);
    return `${group(a, b)}:${group(c, d)}`;
  });
}
