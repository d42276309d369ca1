import type { FilterChainJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import { type ChainFacts, compileChainMatches } from '../routing/filter-chain-match.ts';

/** One chain that was not taken: the first of its conditions that does not hold, asked of the same matcher. */
export interface ChainMiss {
  readonly chain: FilterChainJson;
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  readonly held: number;
}

/** The chain that takes a connection, and why others do not. */
export function chooseChain(
  listener: ListenerJson,
  facts: ChainFacts,
): { chain: FilterChainJson | undefined; isDefault: boolean; misses: ChainMiss[] } {
  const chains = (listener.filterChains ?? []).map((json) => ({ name: json.name ?? '', match: json.filterChainMatch, json }));
  const found = compileChainMatches(chains, 'listener').find(facts)?.json;
  const misses = chains.filter((c) => c.json !== found).flatMap((c, i) => missOf(c.json, i, facts) ?? []);
  return {
    chain: found ?? listener.defaultFilterChain,
    isDefault: found === undefined && listener.defaultFilterChain !== undefined,
    misses,
  };
}

function missOf(chain: FilterChainJson, index: number, facts: ChainFacts): ChainMiss | undefined {
  const match = (chain.filterChainMatch ?? {}) as Record<string, unknown>;
  let held = 0;
  for (const [field, value] of Object.entries(match)) {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    const alone = [{ name: '', match: { [field]: value } }];
    if (compileChainMatches(alone, 'chain').find(facts) !== undefined) {
      held++;
      continue;
    }
    return {
      chain,
      field: `filterChains[${index}].filterChainMatch.${field}`,
      expected: asked(field, value),
      actual: has(field, facts),
      held,
    };
  }
  return undefined;
}

/** `port 9080, transport raw_buffer, application protocol http/1.1 or h2c`; empty when the chain asks for nothing. */
export function chainMatchText(chain: FilterChainJson): string {
  return Object.entries(chain.filterChainMatch ?? {})
    .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
    .map(([field, value]) => asked(field, value))
    .join(', ');
}

function asked(field: string, value: unknown): string {
  if (!Array.isArray(value)) return `${words(field)} ${String(value)}`;
  const items = value.map((v) => (typeof v === 'object' && v !== null ? rangeText(v) : String(v)));
  return `${words(field)} ${items.join(' or ')}`;
}

const rangeText = (range: { addressPrefix?: string; prefixLen?: number | null }): string =>
  `${range.addressPrefix}/${range.prefixLen ?? 0}`;

const WORDS: Readonly<Record<string, string>> = {
  destinationPort: 'port',
  prefixRanges: 'destination in',
  serverNames: 'server name',
  transportProtocol: 'transport',
  applicationProtocols: 'application protocol',
  directSourcePrefixRanges: 'direct source in',
  sourceType: 'source type',
  sourcePrefixRanges: 'source in',
  sourcePorts: 'source port',
};
const words = (field: string): string => WORDS[field] ?? field;

function has(field: string, facts: ChainFacts): string {
  switch (field) {
    case 'destinationPort':
      return `port ${facts.localPort}`;
    case 'prefixRanges':
      return facts.localIp || 'an address that is not known here';
    case 'serverNames':
      return facts.sni === '' ? 'none' : facts.sni;
    case 'transportProtocol':
      return facts.transportProtocol;
    case 'applicationProtocols':
      return facts.applicationProtocols.join(', ') || 'none detected';
    default:
      return field === 'sourcePorts' ? 'an ephemeral port' : facts.remoteIp;
  }
}
