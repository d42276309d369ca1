import type { FilterChainJson, FilterChainMatchJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';

/** A chain for connections that are not HTTP, and whether the port that asked for it merely might be. */
export interface TcpChain {
  chain: FilterChainJson;
  detected: boolean;
}

/** An outbound listener while services are added to it: one HTTP chain at most, and TCP chains with different matches. */
export interface ListenerEntry {
  bind: string;
  port: number;
  bindToPort: boolean;
  http: FilterChainJson | undefined;
  /** A port that is declared to be HTTP is here: detected ones give way to it. */
  declaredHttp: boolean;
  tcp: TcpChain[];
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

function matchKey(chain: FilterChainJson): string {
  return isMatchAll(chain.filterChainMatch) ? '' : JSON.stringify(chain.filterChainMatch);
}

function addTcp(entry: ListenerEntry, chains: readonly FilterChainJson[], detected: boolean): void {
  const taken = new Set(entry.tcp.map((t) => matchKey(t.chain)));
  for (const chain of chains) {
    const key = matchKey(chain);
    // Envoy refuses two chains with the same match: the older service keeps it.
    if (taken.has(key)) continue;
    taken.add(key);
    entry.tcp.push({ chain, detected });
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
