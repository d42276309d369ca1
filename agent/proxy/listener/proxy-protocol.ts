import { isIPv4, isIPv6 } from 'node:net';
import { type ConnectionInfo, formatAddress } from './connection.ts';
import type { Inspector } from './inspector.ts';

/** haproxy.org/download/1.8/doc/proxy-protocol.txt, 2.1 and 2.2. */
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V1_LONGEST = 108;

/** Reads a PROXY protocol header, version 1 or 2, and takes it away. Without one the connection is closed, unless that is allowed. */
export function createProxyProtocol(disabled: (port: number) => boolean, allowWithout: boolean): Inspector {
  return { name: 'proxy_protocol', limit: 16 + 65_535, disabled, inspect: (bytes, info) => inspect(bytes, info, allowWithout) };
}

function inspect(bytes: Buffer, info: ConnectionInfo, allowWithout: boolean): 'more' | 'reject' | number {
  const compared = Math.min(bytes.length, V2_SIGNATURE.length);
  if (bytes.compare(V2_SIGNATURE, 0, compared, 0, compared) === 0) return compared < V2_SIGNATURE.length ? 'more' : version2(bytes, info);
  const start = bytes.toString('latin1', 0, 6);
  if ('PROXY '.startsWith(start) && start.length < 6) return 'more';
  if (start === 'PROXY ') return version1(bytes, info);
  return allowWithout ? 0 : 'reject';
}

function version1(bytes: Buffer, info: ConnectionInfo): 'more' | 'reject' | number {
  const end = bytes.indexOf('\r\n', 0, 'latin1');
  if (end < 0) return bytes.length < V1_LONGEST ? 'more' : 'reject';
  const [, family, source = '', destination = '', sourcePort = '', destinationPort = ''] = bytes.toString('latin1', 0, end).split(' ');
  if (family === 'UNKNOWN') return end + 2;
  const is = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined;
  if (is === undefined || !is(source) || !is(destination)) return 'reject';
  const ports = [Number(sourcePort), Number(destinationPort)] as const;
  if (!ports.every((p) => Number.isInteger(p) && p >= 0 && p <= 65_535)) return 'reject';
  restore(info, source, ports[0], destination, ports[1]);
  return end + 2;
}

function version2(bytes: Buffer, info: ConnectionInfo): 'more' | 'reject' | number {
  if (bytes.length < 16) return 'more';
  const command = bytes[12]!;
  if (command !== 0x20 && command !== 0x21) return 'reject';
  const length = bytes.readUInt16BE(14);
  if (bytes.length < 16 + length) return 'more';
  // LOCAL: the peer's own connection, as a health check.
  if (command === 0x20) return 16 + length;
  const size = bytes[13] === 0x11 ? 4 : bytes[13] === 0x21 ? 16 : 0;
  if (size === 0) return 16 + length;
  if (length < 2 * size + 4) return 'reject';
  const ip = (at: number): string =>
    size === 4 ? bytes.subarray(at, at + 4).join('.') : (bytes.toString('hex', at, at + 16).match(/.{4}/g) as string[]).join(':');
  const ports = 16 + 2 * size;
  restore(info, ip(16), bytes.readUInt16BE(ports), ip(16 + size), bytes.readUInt16BE(ports + 2));
  return 16 + length;
}

function restore(info: ConnectionInfo, source: string, sourcePort: number, destination: string, destinationPort: number): void {
  info.remoteIp = source;
  info.remotePort = sourcePort;
  info.remoteAddress = formatAddress(source, sourcePort);
  info.localIp = destination;
  info.localPort = destinationPort;
  info.localAddress = formatAddress(destination, destinationPort);
}
