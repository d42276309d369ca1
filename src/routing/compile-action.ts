import type { MetadataJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type {
  RouteActionJson,
  RouteJson,
  WeightedCluster_ClusterWeightJson,
} from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { compileFilterConfigs } from './filter-config.ts';
import { compileHashPolicies } from './hash-policy.ts';
import { compileHeaderMutations } from './header-mutation.ts';
import type { Level, LevelParts } from './levels.ts';
import { compileMirrors } from './mirror.ts';
import type { ProblemList } from './problems.ts';
import { compileRetryPolicy } from './retry-policy.ts';
import { compileHostRewrite, compilePathRewrite } from './rewrite.ts';
import { compileTimeouts } from './timeouts.ts';
import type { CompiledRoute, CompiledRouteAction, RouteDecision } from './types.ts';
import { refuseUnsupported } from './unsupported.ts';
import { compileUpgrades } from './upgrade.ts';
import { compileWeighted, type WeightedChoice } from './weighted.ts';
import { toWire } from './wire-text.ts';

const notFoundStatus = { SERVICE_UNAVAILABLE: 503, NOT_FOUND: 404, INTERNAL_SERVER_ERROR: 500 } as const;

/** Compiles a RouteAction into its decision, and a choice when it has weighted clusters. */
export function compileAction(
  json: RouteJson,
  route: CompiledRoute,
  level: Level,
  problems: ProblemList,
): { decision: RouteDecision; weighted: WeightedChoice | undefined } {
  const actionJson = json.route!;
  const path = `${route.field}.route`;
  refuseUnsupported('RouteAction', actionJson, path, problems);
  const action = compileShared(json, actionJson, level, path, problems);
  const metadataMatch = lbMetadata(actionJson.metadataMatch);
  const base = { kind: 'route', route, virtualHost: level.virtualHost, action } as const;
  const plain: RouteDecision = {
    ...base,
    cluster: actionJson.cluster,
    clusterHeader: actionJson.clusterHeader?.toLowerCase(),
    hostRewriteLiteral: undefined,
    metadataMatch,
    ...level.mutations(),
  };
  const specifiers = [actionJson.cluster, actionJson.clusterHeader, actionJson.weightedClusters].filter((s) => s !== undefined && s !== '');
  const { weightedClusters } = actionJson;
  if (weightedClusters === undefined) {
    const plugin = actionJson.clusterSpecifierPlugin ?? actionJson.inlineClusterSpecifierPlugin;
    if (specifiers.length !== 1 && plugin === undefined)
      problems.invalid(path, 'exactly one of cluster, clusterHeader and weightedClusters is required');
    return { decision: plain, weighted: undefined };
  }
  const clusters = weightedClusters.clusters ?? [];
  const decisionOf = (i: number): RouteDecision => {
    const cluster = clusters[i]!;
    return {
      ...base,
      cluster: (cluster.clusterHeader ?? '') === '' ? (cluster.name ?? '') : undefined,
      clusterHeader: cluster.clusterHeader?.toLowerCase(),
      hostRewriteLiteral: (cluster.hostRewriteLiteral ?? '') === '' ? undefined : toWire(cluster.hostRewriteLiteral!),
      metadataMatch: mergedMetadata(metadataMatch, lbMetadata(cluster.metadataMatch)),
      ...level.mutations(weightedParts(cluster, `${path}.weightedClusters.clusters[${i}]`, problems)),
    };
  };
  return { decision: plain, weighted: compileWeighted(weightedClusters, `${path}.weightedClusters`, problems, decisionOf) };
}

function compileShared(json: RouteJson, action: RouteActionJson, level: Level, path: string, problems: ProblemList): CompiledRouteAction {
  const own = compileMirrors(action.requestMirrorPolicies, path, problems);
  const retry = action.retryPolicy === undefined ? level.retryPolicy : { json: action.retryPolicy, path: `${path}.retryPolicy` };
  return {
    json: action,
    clusterNotFoundStatus: notFoundStatus[action.clusterNotFoundResponseCode ?? 'SERVICE_UNAVAILABLE'],
    pathRewrite: compilePathRewrite(action, path, problems),
    hostRewrite: compileHostRewrite(action, path, problems),
    autoHostRewrite: action.autoHostRewrite === true,
    appendForwardedHost: action.appendXForwardedHost === true,
    priority: action.priority ?? 'DEFAULT',
    timeouts: compileTimeouts(action, path, problems),
    retry: retry === undefined ? undefined : compileRetryPolicy(retry.json, retry.path, problems),
    mirrors: own.length > 0 ? own : level.mirrors,
    hashPolicies: compileHashPolicies(action.hashPolicy, path, problems),
    ...compileUpgrades(action, path, problems),
    bufferLimit: json.perRequestBufferLimitBytes ?? level.bufferLimit,
  };
}

function weightedParts(cluster: WeightedCluster_ClusterWeightJson, path: string, problems: ProblemList): LevelParts {
  return {
    request: compileHeaderMutations(cluster.requestHeadersToAdd, cluster.requestHeadersToRemove, 'request', path, problems),
    response: compileHeaderMutations(cluster.responseHeadersToAdd, cluster.responseHeadersToRemove, 'response', path, problems),
    filters: compileFilterConfigs(cluster.typedPerFilterConfig),
  };
}

const lbMetadata = (metadata: MetadataJson | undefined): Readonly<Record<string, unknown>> | undefined =>
  metadata?.filterMetadata?.['envoy.lb'];

/** Envoy: a weighted cluster's criteria are merged over its route's. */
function mergedMetadata(
  route: Readonly<Record<string, unknown>> | undefined,
  cluster: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> | undefined {
  return route === undefined || cluster === undefined ? (cluster ?? route) : { ...route, ...cluster };
}
