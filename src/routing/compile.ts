import { isDeepStrictEqual } from 'node:util';
import type { VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { Problem } from '../errors.ts';
import { compileRoute } from './compile-route.ts';
import { indexDomains, replaceHosts } from './domains.ts';
import { compileFilterConfigs } from './filter-config.ts';
import { compileHeaderMutations } from './header-mutation.ts';
import { type LevelParts, makeLevel } from './levels.ts';
import { type CompiledMirror, compileMirrors } from './mirror.ts';
import { ProblemList } from './problems.ts';
import type { CompiledRoute, CompiledRouteConfiguration, CompiledVirtualHost, NotFoundDecision } from './types.ts';
import { refuseUnsupported } from './unsupported.ts';

/** Envoy's limit for bodies of direct responses, unless the configuration sets one. */
const DEFAULT_DIRECT_RESPONSE_BYTES = 4096;

/** A configuration that was compiled without errors, and what came of it. */
export interface CompiledBefore {
  json: RouteConfigurationJson;
  value: CompiledRouteConfiguration;
}

/** The compiled virtual hosts of `before` by their JSON, as far as they are what `json` says: all above them must be equal. */
function reusable(json: RouteConfigurationJson, before: CompiledBefore | undefined): ReadonlyMap<VirtualHostJson, CompiledVirtualHost> {
  if (before === undefined) return new Map();
  const { virtualHosts: _now, ...rest } = json;
  const { virtualHosts: hosts = [], ...was } = before.json;
  return isDeepStrictEqual(rest, was) ? new Map(hosts.map((host, i) => [host, before.value.virtualHosts[i]!])) : new Map();
}

/**
 * Compiles a RouteConfiguration, once. Every problem is found in one go; one of severity `error` refuses the configuration as a
 * whole, as Envoy does, and `value` is undefined.
 *
 * @param before the configuration's last version: virtual hosts that are the same objects are taken over, with the fields that were
 *   theirs at that time; what was found in them is not told again
 */
export function compileRouteConfiguration(
  json: RouteConfigurationJson,
  before?: CompiledBefore,
): {
  value: CompiledRouteConfiguration | undefined;
  problems: readonly Problem[];
} {
  const problems = new ProblemList();
  refuseUnsupported('RouteConfiguration', json, '', problems);
  const parts: LevelParts = {
    request: compileHeaderMutations(json.requestHeadersToAdd, json.requestHeadersToRemove, 'request', 'routeConfiguration', problems),
    response: compileHeaderMutations(json.responseHeadersToAdd, json.responseHeadersToRemove, 'response', 'routeConfiguration', problems),
    filters: compileFilterConfigs(json.typedPerFilterConfig),
  };
  const mirrors = compileMirrors(json.requestMirrorPolicies, 'routeConfiguration', problems);
  const known = reusable(json, before);
  const virtualHosts = (json.virtualHosts ?? []).map(
    (host, i) => known.get(host) ?? compileVirtualHost(host, i, json, parts, mirrors, problems),
  );
  const names = new Set<string>();
  for (const host of virtualHosts) {
    if (names.has(host.name))
      problems.invalid(
        `${host.field}.name`,
        `only unique names for virtual hosts are permitted, ${JSON.stringify(host.name)} occurs twice`,
      );
    names.add(host.name);
  }
  const value: CompiledRouteConfiguration = {
    name: json.name ?? '',
    virtualHosts,
    domains: (before && replaceHosts(before.value, virtualHosts)) ?? indexDomains(virtualHosts, problems),
    ignorePort: json.ignorePortInHostMatching === true,
    mostSpecificWins: json.mostSpecificHeaderMutationsWins === true,
    internalOnlyHeaders: (json.internalOnlyHeaders ?? []).map((name) => name.toLowerCase()),
    notFound: notFound(undefined),
  };
  return { value: problems.failed ? undefined : value, problems: problems.all };
}

function compileVirtualHost(
  json: VirtualHostJson,
  index: number,
  config: RouteConfigurationJson,
  configParts: LevelParts,
  configMirrors: readonly CompiledMirror[],
  problems: ProblemList,
): CompiledVirtualHost {
  const field = `virtualHosts[${index}]`;
  refuseUnsupported('VirtualHost', json, field, problems);
  if ((json.name ?? '') === '') problems.invalid(`${field}.name`, 'must not be empty');
  const routes: CompiledRoute[] = [];
  const virtualHost = {
    name: json.name ?? '',
    field,
    domains: json.domains ?? [],
    requireTls: json.requireTls ?? 'NONE',
    routes,
    includeRequestAttemptCount: json.includeRequestAttemptCount === true,
    includeAttemptCountInResponse: json.includeAttemptCountInResponse === true,
    includeIsTimeoutRetryHeader: json.includeIsTimeoutRetryHeader === true,
  } as unknown as { -readonly [K in keyof CompiledVirtualHost]: CompiledVirtualHost[K] };
  const parts: LevelParts = {
    request: compileHeaderMutations(json.requestHeadersToAdd, json.requestHeadersToRemove, 'request', field, problems),
    response: compileHeaderMutations(json.responseHeadersToAdd, json.responseHeadersToRemove, 'response', field, problems),
    filters: compileFilterConfigs(json.typedPerFilterConfig),
  };
  const mirrors = compileMirrors(json.requestMirrorPolicies, field, problems);
  const level = makeLevel(
    {
      virtualHost,
      ignorePathParameters: config.ignorePathParametersInPathMatching === true,
      maxDirectResponseBytes: config.maxDirectResponseBodySizeBytes ?? DEFAULT_DIRECT_RESPONSE_BYTES,
      mirrors: mirrors.length > 0 ? mirrors : configMirrors,
      retryPolicy: json.retryPolicy === undefined ? undefined : { json: json.retryPolicy, path: `${field}.retryPolicy` },
      bufferLimit: json.perRequestBufferLimitBytes,
    },
    config.mostSpecificHeaderMutationsWins === true,
    [configParts, parts],
  );
  virtualHost.notFound = notFound(virtualHost);
  virtualHost.tlsRedirect = { kind: 'redirect', route: undefined, virtualHost, status: 301, redirect: 'tls', ...noMutations };
  routes.push(...(json.routes ?? []).map((route, i) => compileRoute(route, `${field}.routes[${i}]`, level, problems)));
  return virtualHost;
}

const noMutations = { requestMutations: [], responseMutations: [], filterLevels: [] } as const;

const notFound = (virtualHost: CompiledVirtualHost | undefined): NotFoundDecision => ({
  kind: 'not-found',
  status: 404,
  route: undefined,
  virtualHost,
  ...noMutations,
});
