import type { FilterChainMatchJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { Problem } from '../errors.ts';
import { inRange, parseIp } from './ip-range.ts';

/** What chains look at of a connection. */
export interface ChainFacts {
  /** Where it was meant to go, or arrived: without brackets; a pipe's path with port 0. */
  readonly localIp: string;
  readonly localPort: number;
  /** The client, after the PROXY protocol; `directRemoteIp` is the peer itself. */
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly directRemoteIp: string;
  readonly transportProtocol: 'raw_buffer' | 'tls';
  /** Lower case; empty without one. */
  readonly sni: string;
  /** From ALPN or the http inspector. */
  readonly applicationProtocols: readonly string[];
}

interface IpPrefix {
  readonly bytes: readonly number[];
  readonly length: number;
}

interface Criteria<Chain> {
  chain: Chain;
  destinationPort: number;
  destinations: readonly IpPrefix[];
  serverNames: readonly string[];
  transportProtocol: string;
  applicationProtocols: readonly string[];
  directSources: readonly IpPrefix[];
  sourceType: 'ANY' | 'SAME_IP_OR_LOOPBACK' | 'EXTERNAL';
  sources: readonly IpPrefix[];
  sourcePorts: readonly number[];
}

export interface MatchableChain {
  readonly name: string;
  readonly match: FilterChainMatchJson | undefined;
}

export type ChainFinder<Chain> = (facts: ChainFacts) => Chain | undefined;

/**
 * Compiles filter chain matches. The finder decides stage by stage (destination port, destination address, server name, transport
 * protocol, application protocols, direct source, source type, source address, source port); each stage keeps the most specific
 * value that fits, and there is no way back from it. Envoy: FilterChainMatch.
 */
export function compileChainMatches<Chain extends MatchableChain>(
  chains: readonly Chain[],
  path: string,
): { find: ChainFinder<Chain>; problems: Problem[] } {
  const problems: Problem[] = [];
  const seen = new Map<string, string>();
  const all = chains.map((chain, i) => {
    const field = `${path}.filterChains[${i}].filterChainMatch`;
    const match = chain.match ?? {};
    const key = JSON.stringify(Object.entries(match).sort(([a], [b]) => (a < b ? -1 : 1)));
    const before = seen.get(key);
    if (before !== undefined)
      problems.push({ severity: 'error', rule: 'envoy/invalid', message: `${field} matches the same as ${before}`, path: field });
    seen.set(key, field);
    return compile(chain, match, field, problems);
  });
  return { find: (info) => find(all, info), problems };
}

function compile<Chain>(chain: Chain, match: FilterChainMatchJson, field: string, problems: Problem[]): Criteria<Chain> {
  const prefixes = (name: 'prefixRanges' | 'directSourcePrefixRanges' | 'sourcePrefixRanges'): IpPrefix[] =>
    (match[name] ?? []).flatMap((range, i) => {
      const prefix = parsePrefix(range);
      if (prefix !== undefined) return [prefix];
      const path = `${field}.${name}[${i}]`;
      problems.push({ severity: 'error', rule: 'envoy/invalid', message: `${path}: ${JSON.stringify(range)} is no address range`, path });
      return [];
    });
  for (const name of ['addressSuffix', 'suffixLen'] as const) {
    if (match[name] !== undefined)
      problems.push({
        severity: 'error',
        rule: 'unsupported/field',
        message: `${field}.${name} is not supported: Envoy does not implement it either`,
        path: `${field}.${name}`,
      });
  }
  for (const [i, name] of (match.serverNames ?? []).entries()) {
    if (name.lastIndexOf('*') > 0 || (name.startsWith('*') && !name.startsWith('*.') && name !== '*')) {
      const path = `${field}.serverNames[${i}]`;
      problems.push({ severity: 'error', rule: 'envoy/invalid', message: `${path}: partial wildcard ${JSON.stringify(name)}`, path });
    }
  }
  return {
    chain,
    destinationPort: match.destinationPort ?? 0,
    destinations: prefixes('prefixRanges'),
    serverNames: (match.serverNames ?? []).map((name) => (name === '*' ? '' : name.toLowerCase().replace(/^\*/, ''))),
    transportProtocol: match.transportProtocol ?? '',
    applicationProtocols: match.applicationProtocols ?? [],
    directSources: prefixes('directSourcePrefixRanges'),
    sourceType: match.sourceType === 'SAME_IP_OR_LOOPBACK' || match.sourceType === 'EXTERNAL' ? match.sourceType : 'ANY',
    sources: prefixes('sourcePrefixRanges'),
    sourcePorts: match.sourcePorts ?? [],
  };
}

function find<Chain>(all: readonly Criteria<Chain>[], info: ChainFacts): Chain | undefined {
  let left = narrow(all, info.localPort, 0, (c) => c.destinationPort);
  left = narrowByPrefix(left, info.localIp, (c) => c.destinations);
  left = narrowByServerName(left, info.sni);
  left = narrow(left, info.transportProtocol, '', (c) => c.transportProtocol);
  left = narrowByProtocols(left, info.applicationProtocols);
  left = narrowByPrefix(left, info.directRemoteIp, (c) => c.directSources);
  left = narrow(left, isLocal(info) ? 'SAME_IP_OR_LOOPBACK' : 'EXTERNAL', 'ANY', (c) => c.sourceType);
  left = narrowByPrefix(left, info.remoteIp, (c) => c.sources);
  const byPort = left.filter((c) => c.sourcePorts.includes(info.remotePort));
  return (byPort.length > 0 ? byPort : left.filter((c) => c.sourcePorts.length === 0))[0]?.chain;
}

/** Those with exactly this value, or else those that do not ask. */
function narrow<C, V>(left: readonly C[], value: V, any: V, of: (c: C) => V): readonly C[] {
  const exact = left.filter((c) => of(c) === value);
  return exact.length > 0 ? exact : left.filter((c) => of(c) === any);
}

function narrowByPrefix<C>(left: readonly C[], address: string, of: (c: C) => readonly IpPrefix[]): readonly C[] {
  if (left.every((c) => of(c).length === 0)) return left;
  const ip = addressBytes(address);
  let longest = -1;
  if (ip !== undefined)
    for (const c of left) for (const p of of(c)) if (p.length > longest && inRange(ip, p.bytes, p.length)) longest = p.length;
  if (ip === undefined || longest < 0) return left.filter((c) => of(c).length === 0);
  return left.filter((c) => of(c).some((p) => p.length === longest && inRange(ip, p.bytes, p.length)));
}

function narrowByServerName<Chain>(left: readonly Criteria<Chain>[], sni: string): readonly Criteria<Chain>[] {
  for (let name = sni; name !== ''; ) {
    const found = left.filter((c) => c.serverNames.includes(name));
    if (found.length > 0) return found;
    // `a.b.c`, then `.b.c`, then `.c`.
    const dot = name.indexOf('.', name.startsWith('.') ? 1 : 0);
    name = dot < 0 ? '' : name.slice(dot);
  }
  return left.filter((c) => c.serverNames.length === 0 || c.serverNames.includes(''));
}

function narrowByProtocols<Chain>(left: readonly Criteria<Chain>[], protocols: readonly string[]): readonly Criteria<Chain>[] {
  for (const protocol of protocols) {
    const found = left.filter((c) => c.applicationProtocols.includes(protocol));
    if (found.length > 0) return found;
  }
  return left.filter((c) => c.applicationProtocols.length === 0);
}

function isLocal(info: ChainFacts): boolean {
  return info.remoteIp === info.localIp || info.remoteIp.startsWith('127.') || info.remoteIp === '::1' || info.remoteIp.startsWith('/');
}

/** IPv4-mapped IPv6 counts as IPv4. */
function addressBytes(text: string): readonly number[] | undefined {
  const bytes = parseIp(text);
  const mapped = bytes?.length === 16 && bytes.slice(0, 10).every((b) => b === 0) && bytes[10] === 255 && bytes[11] === 255;
  return mapped ? bytes.slice(12) : bytes;
}

/** A CidrRange; undefined when the address or the length is none. An unset length is 0, as in Envoy. */
function parsePrefix(range: { addressPrefix?: string; prefixLen?: number | null }): IpPrefix | undefined {
  const bytes = addressBytes(range.addressPrefix ?? '');
  const length = range.prefixLen ?? 0;
  return bytes === undefined || length < 0 || length > bytes.length * 8 ? undefined : { bytes, length };
}
