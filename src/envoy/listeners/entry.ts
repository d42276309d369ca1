import type { CidrRangeJson } from '#envoy-api/envoy/config/core/v3/address_pb.js';
import type { FilterChainJson, FilterChainMatchJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';

/** A chain for connections that are not HTTP, and whether the port that asked for it merely might be. */
export interface TcpChain {
  chain: FilterChainJson;
  detected: boolean;
}

/** An outbound listener while services are added to it: one HTTP chain at most, and TCP chains with different matches. */
export interface ListenerEntry {
  bind: string;
  /** Other addresses on which it is too. */
  more: readonly string[];
  port: number;
  bindToPort: boolean;
  http: FilterChainJson | undefined;
  /** A port that is declared to be HTTP is here: detected ones give way to it. */
  declaredHttp: boolean;
  tcp: TcpChain[];
  /** What the TCP chains match: pairs of server name and destination range. */
  taken: Set<string>;
  /** Mongo and MySQL: the server may speak first, so nothing else can share the listener. */
  exclusive: boolean;
}

/** What one service's port adds. */
export interface Addition {
  kind: 'http' | 'tcp' | 'detected';
  http?: FilterChainJson;
  tcp: readonly FilterChainJson[];
  exclusive: boolean;
}

export function isMatchAll(match: FilterChainMatchJson | undefined): boolean {
  return match === undefined || Object.keys(match).length === 0;
}

function rangeKey(range: CidrRangeJson): string {
  return `${range.addressPrefix}/${typeof range.prefixLen === 'number' ? range.prefixLen : ''}`;
}

/** Every pair of server name and destination range that a chain matches; a part that it does not look at is empty. */
function* pairs(match: FilterChainMatchJson | undefined): Generator<string> {
  for (const name of match?.serverNames?.length ? match.serverNames : ['']) {
    for (const range of match?.prefixRanges?.length ? match.prefixRanges.map(rangeKey) : ['']) yield `${name} ${range}`;
  }
}

/** What is left of a chain when older ones have taken their part of its matches; undefined for nothing. */
function untaken(chain: FilterChainJson, taken: ReadonlySet<string>): FilterChainJson | undefined {
  const { filterChainMatch: match } = chain;
  if (![...pairs(match)].some((p) => taken.has(p))) return chain;
  const free = (part: FilterChainMatchJson): boolean => ![...pairs({ ...match, ...part })].some((p) => taken.has(p));
  if (match?.serverNames?.length) {
    const serverNames = match.serverNames.filter((name) => free({ serverNames: [name] }));
    return serverNames.length > 0 ? { ...chain, filterChainMatch: { ...match, serverNames } } : undefined;
  }
  const prefixRanges = (match?.prefixRanges ?? []).filter((range) => free({ prefixRanges: [range] }));
  return prefixRanges.length > 0 ? { ...chain, filterChainMatch: { ...match, prefixRanges } } : undefined;
}

function addTcp(entry: ListenerEntry, chains: readonly FilterChainJson[], detected: boolean): void {
  const { taken } = entry;
  for (const chain of chains) {
    // Envoy refuses a listener of which two chains match the same: the older service keeps it.
    const rest = untaken(chain, taken);
    if (rest === undefined) continue;
    for (const pair of pairs(rest.filterChainMatch)) taken.add(pair);
    entry.tcp.push({ chain: rest, detected });
  }
}

/**
 * Adds a service's port to a listener, by Istio's order of precedence: HTTP and TCP share a listener that detects, detected ports
 * give way to HTTP, the older of two equal TCP matches stays. Returns false when nothing was taken in.
 */
export function addToEntry(entry: ListenerEntry, addition: Addition): boolean {
  const empty = entry.http === undefined && entry.tcp.length === 0;
  if (!empty && (entry.exclusive || addition.exclusive)) return false;
  entry.exclusive = addition.exclusive;
  switch (addition.kind) {
    case 'http':
      if (!entry.declaredHttp) {
        entry.declaredHttp = true;
        entry.http = addition.http;
        entry.tcp = entry.tcp.filter((t) => !t.detected);
        entry.taken = new Set(entry.tcp.flatMap((t) => [...pairs(t.chain.filterChainMatch)]));
      }
      return true;
    case 'detected':
      if (entry.declaredHttp) return false;
      entry.http ??= addition.http;
      addTcp(entry, addition.tcp, true);
      return true;
    default: {
      const before = entry.tcp.length;
      addTcp(entry, addition.tcp, false);
      return entry.tcp.length > before;
    }
  }
}
