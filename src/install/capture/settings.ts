/** Which connections of a host or pod are captured. The names are those of Istio's annotations traffic.sidecar.istio.io/…, and mean the same. */
import { isIp } from '../../mesh/addresses.ts';
import { OWN_PORTS } from '../../mesh/captured-ports.ts';

export interface CaptureSettings {
  /** Numeric ids under which the proxy and its agent run: what they send is never taken for the application's. At least one. */
  proxyUsers: readonly number[];
  proxyGroups: readonly number[];
  /** Where the proxy listens for what the application sends. */
  outboundPort: number;
  /** Where it listens for what the application is sent. */
  inboundPort: number;
  /** `*`: all but the excluded ones. */
  includeInboundPorts: Ports;
  excludeInboundPorts: readonly number[];
  /** Captured wherever they lead. */
  includeOutboundPorts: readonly number[];
  excludeOutboundPorts: readonly number[];
  /** Networks as `10.0.0.0/8` or `fd00::/8`; `*`: all but the excluded ones. */
  includeOutboundRanges: Ranges;
  excludeOutboundRanges: readonly string[];
  /** Network interfaces on which nothing is captured. */
  excludeInterfaces: readonly string[];
}

export type Ports = readonly number[] | '*';
export type Ranges = readonly string[] | '*';

export const OUTBOUND_PORT = 15001;
export const INBOUND_PORT = 15006;

/** Everything, for a proxy that runs as `user` and `group`. */
export const captureAll = (user: number, group: number): CaptureSettings => ({
  proxyUsers: [user],
  proxyGroups: [group],
  outboundPort: OUTBOUND_PORT,
  inboundPort: INBOUND_PORT,
  includeInboundPorts: '*',
  excludeInboundPorts: OWN_PORTS,
  includeOutboundPorts: [],
  excludeOutboundPorts: [],
  includeOutboundRanges: '*',
  excludeOutboundRanges: [],
  excludeInterfaces: [],
});

const parts = (text: string): string[] => text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));

/** `80,443`, each once and ascending; undefined: something in it is no port. */
export function parsePorts(text: string): number[] | undefined {
  const typed = parts(text);
  const ports = typed.map(Number);
  if (!typed.every((port, i) => /^\d{1,5}$/.test(port) && ports[i]! >= 1 && ports[i]! <= 65_535)) return undefined;
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** `10.0.0.0/8,fd00::/8`, as networks whose host bits are zero; a lone address is a network of one. undefined: something in it is neither. */
export function parseRanges(text: string): string[] | undefined {
  const ranges = parts(text).map(network);
  return ranges.includes(undefined) ? undefined : [...new Set(ranges as string[])];
}

/** Names of network interfaces; undefined: something in it cannot be one. */
export function parseInterfaces(text: string): string[] | undefined {
  const names = parts(text);
  // Linux: at most 15 characters, no space, no slash; the rest would mean something to nft.
  return names.every((name) => /^[A-Za-z0-9_.@:-]{1,15}$/.test(name)) ? [...new Set(names)] : undefined;
}

function network(text: string): string | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const bits = address.includes(':') ? 128 : 32;
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (rest.length > 0 || !isIp(address) || address.includes('%') || !(prefix <= bits)) return undefined;
  // A wrong IPv6 literal that looks like one would be nft's to find.
  return bits === 128 && URL.parse(`http://[${address}]/`) === null ? undefined : `${address}/${prefix}`;
}

/** Whether a range has addresses of loopback in it, which are then captured too. */
export function coversLoopback(range: string): boolean {
  return range.startsWith('127.') || range.startsWith('::1/');
}
