import type { RouteJson, RouteMatchJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { compileAction } from './compile-action.ts';
import type { Condition } from './condition.ts';
import { compileDirectResponse } from './direct-response.ts';
import { compileFilterConfigs } from './filter-config.ts';
import { compileRuntimeFraction } from './fraction.ts';
import { isGrpc } from './grpc.ts';
import { compileHeaderMatcher } from './header-matcher.ts';
import { compileHeaderMutations } from './header-mutation.ts';
import type { Level } from './levels.ts';
import { compileMetadataMatcher } from './metadata-matcher.ts';
import { compilePathMatcher } from './path-matcher.ts';
import type { ProblemList } from './problems.ts';
import { compileQueryMatcher } from './query-matcher.ts';
import { compileRedirect } from './redirect.ts';
import type { CompiledRoute, Decision } from './types.ts';
import { refuseUnsupported } from './unsupported.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Compiles one route; `level` is what it inherits. */
export function compileRoute(json: RouteJson, field: string, level: Level, problems: ProblemList): CompiledRoute {
  refuseUnsupported('Route', json, field, problems);
  const matchJson = json.match ?? {};
  const matchPath = `${field}.match`;
  refuseUnsupported('RouteMatch', matchJson, matchPath, problems);
  const route = {
    name: json.name ?? '',
    field,
    json,
    path: compilePathMatcher(matchJson, level.ignorePathParameters, matchPath, problems),
    fraction:
      matchJson.runtimeFraction === undefined
        ? undefined
        : compileRuntimeFraction(matchJson.runtimeFraction, `${matchPath}.runtimeFraction`, problems),
    conditions: compileConditions(matchJson, matchPath, problems),
    weighted: undefined,
  } as unknown as Writable<CompiledRoute>;
  const inherited = level.below({
    request: compileHeaderMutations(json.requestHeadersToAdd, json.requestHeadersToRemove, 'request', field, problems),
    response: compileHeaderMutations(json.responseHeadersToAdd, json.responseHeadersToRemove, 'response', field, problems),
    filters: compileFilterConfigs(json.typedPerFilterConfig),
  });
  const { virtualHost } = level;
  if (json.redirect !== undefined) {
    const { status, redirect } = compileRedirect(json.redirect, `${field}.redirect`, problems);
    route.decision = { kind: 'redirect', route, virtualHost, status, redirect, ...inherited.mutations() } satisfies Decision;
  } else if (json.directResponse !== undefined) {
    const { status, body } = compileDirectResponse(json.directResponse, level.maxDirectResponseBytes, `${field}.directResponse`, problems);
    route.decision = { kind: 'direct-response', route, virtualHost, status, body, ...inherited.mutations() } satisfies Decision;
  } else if (json.route !== undefined) {
    const compiled = compileAction(json, route, inherited, problems);
    route.decision = compiled.decision;
    route.weighted = compiled.weighted;
  } else {
    if (json.filterAction === undefined && json.nonForwardingAction === undefined)
      problems.invalid(field, 'one of route, redirect, directResponse is required');
    route.decision = virtualHost.notFound;
  }
  return route;
}

function compileConditions(json: RouteMatchJson, path: string, problems: ProblemList): Condition[] {
  const conditions: Condition[] = [];
  if (json.grpc !== undefined) {
    conditions.push({
      field: 'grpc',
      test: isGrpc,
      describe: () => 'is a gRPC request',
      actual: (r) => JSON.stringify(r.header('content-type') ?? ''),
    });
  }
  const { presented, validated } = json.tlsContext ?? {};
  if (presented !== undefined || validated !== undefined) {
    conditions.push({
      field: 'tlsContext',
      test: (r) =>
        (presented === undefined || presented === (r.tls?.presented ?? false)) &&
        (validated === undefined || validated === (r.tls?.validated ?? false)),
      describe: () =>
        `client certificate${presented === undefined ? '' : ` presented: ${presented}`}${validated === undefined ? '' : ` validated: ${validated}`}`,
      actual: (r) => `presented: ${r.tls?.presented ?? false} validated: ${r.tls?.validated ?? false}`,
    });
  }
  conditions.push(
    ...(json.headers ?? []).map((m, i) => compileHeaderMatcher(m, `headers[${i}]`, `${path}.headers[${i}]`, problems)),
    ...(json.queryParameters ?? []).map((m, i) =>
      compileQueryMatcher(m, `queryParameters[${i}]`, `${path}.queryParameters[${i}]`, problems),
    ),
    ...(json.dynamicMetadata ?? []).map((m, i) =>
      compileMetadataMatcher(m, `dynamicMetadata[${i}]`, `${path}.dynamicMetadata[${i}]`, problems),
    ),
  );
  return conditions;
}
