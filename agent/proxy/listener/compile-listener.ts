import type { FilterChainJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { Problem } from '../../../src/errors.ts';
import { type ChainFinder, compileChainMatches } from '../../../src/routing/filter-chain-match.ts';
import { jsonDuration } from '../../../src/routing/json-duration.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';
import { type AccessLogger, compileAccessLoggers } from '../http/access-loggers.ts';
import type { CommonTls } from '../tls/common-context.ts';
import { compileTermination } from '../tls/terminate.ts';
import { createTlsStats, type TlsStats } from '../tls/tls-stats.ts';
import { type ListenAddress, readAddress } from './address.ts';
import { compileNetworkFilters } from './compile-network-filters.ts';
import type { Inspector } from './inspector.ts';
import type { ListenerContext } from './listener-context.ts';
import { compileListenerFilters } from './listener-filters.ts';
import type { FilterChain } from './network-filter.ts';
import { refuseFields } from './unsupported.ts';

/** A listener's configuration, ready to run. */
export interface CompiledListener {
  readonly name: string;
  readonly json: ListenerJson;
  /** The configuration as text: equal text, nothing to do. */
  readonly text: string;
  readonly address: ListenAddress;
  readonly binds: boolean;
  readonly inbound: boolean;
  readonly originalDestination: boolean;
  readonly inspectors: readonly Inspector[];
  readonly inspectTimeout: number;
  readonly continueOnTimeout: boolean;
  readonly find: ChainFinder<FilterChain>;
  readonly defaultChain: FilterChain | undefined;
  readonly tlsContexts: readonly CommonTls[];
  /** `listener.0.0.0.0_8080`. */
  readonly statPrefix: string;
  /** The listener's own, for connections that no chain takes. */
  readonly accessLogs: readonly AccessLogger[];
  /** Where records of such connections are made; undefined: there are none. */
  readonly recordDirection: RequestRecord['direction'] | undefined;
}

/** Compiles one listener. With an error among the problems it is refused, and `listener` is undefined. */
export function compileListener(
  json: ListenerJson,
  context: ListenerContext,
): { listener: CompiledListener | undefined; problems: Problem[] } {
  const problems = new ProblemList();
  const more: Problem[] = [];
  refuseFields('Listener', json, '', problems);
  const address = readAddress(json.address, problems);
  const { inspectors, problems: ofFilters } = compileListenerFilters(json.listenerFilters ?? [], 'listener');
  const logs = compileAccessLoggers(json.accessLog, 'listener');
  const statPrefix = `listener.${json.statPrefix || (address?.text ?? '').replaceAll(':', '_')}`;
  let tlsStats: TlsStats | undefined;
  const compileChain = (chain: FilterChainJson, path: string): FilterChain => ({
    name: chain.name ?? '',
    match: chain.filterChainMatch,
    tls: compileTermination(chain.transportSocket, `${path}.transportSocket`, problems, {
      secrets: context.secrets,
      get stats() {
        tlsStats ??= createTlsStats((name) => context.stats.counter(`${statPrefix}.${name}`));
        return tlsStats;
      },
    }),
    connectTimeout: jsonDuration(chain.transportSocketConnectTimeout, `${path}.transportSocketConnectTimeout`, problems) ?? 0,
    filter: compileNetworkFilters(json, chain, path, statPrefix, context, problems, more),
  });
  const chains = (json.filterChains ?? []).map((chain, i) => compileChain(chain, `filterChains[${i}]`));
  const defaultChain = json.defaultFilterChain === undefined ? undefined : compileChain(json.defaultFilterChain, 'defaultFilterChain');
  if (chains.length === 0 && defaultChain === undefined) problems.invalid('filterChains', 'no filter chains specified');
  const matches = compileChainMatches(chains, 'listener');
  const timeout = jsonDuration(json.listenerFiltersTimeout, 'listenerFiltersTimeout', problems);
  const all = [...problems.all, ...more, ...ofFilters, ...logs.problems, ...matches.problems].map((p) => describe(p, json));
  if (address === undefined || all.some((p) => p.severity === 'error')) return { listener: undefined, problems: all };
  const listener: CompiledListener = {
    name: json.name ?? '',
    json,
    text: JSON.stringify(json),
    address,
    binds: json.bindToPort !== false && json.deprecatedV1?.bindToPort !== false,
    inbound: json.trafficDirection === 'INBOUND',
    originalDestination: json.useOriginalDst === true || (json.listenerFilters ?? []).some((f) => f.name?.endsWith('original_dst')),
    inspectors,
    // Envoy: 15 s unless set; 0 is no limit.
    inspectTimeout: timeout ?? 15_000,
    continueOnTimeout: json.continueOnListenerFiltersTimeout === true,
    find: matches.find,
    defaultChain,
    tlsContexts: [...chains, ...(defaultChain === undefined ? [] : [defaultChain])].flatMap(({ tls }) => tls?.common ?? []),
    statPrefix,
    accessLogs: logs.loggers,
    recordDirection: logs.records.direction,
  };
  return { listener, problems: all };
}

/** Names the listener, and the resource that it was made from when its metadata says so. */
function describe(problem: Problem, json: ListenerJson): Problem {
  const config = json.metadata?.filterMetadata?.['istio']?.['config'];
  return {
    ...problem,
    message: `listener ${json.name ?? ''}: ${problem.message}`,
    origin: typeof config === 'string' ? config : `listener ${json.name ?? ''}`,
  };
}
