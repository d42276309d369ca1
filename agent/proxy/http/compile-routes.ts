import type { AnyJson } from '@bufbuild/protobuf/wkt';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import type { CorsPolicyJson } from '#envoy-api/envoy/extensions/filters/http/cors/v3/cors_pb.js';
import type { HTTPFaultJson } from '#envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import type { Problem } from '../../../src/errors.ts';
import { type CompiledBefore, compileRouteConfiguration } from '../../../src/routing/compile.ts';
import { compileCors } from '../../../src/routing/cors.ts';
import { compileFault } from '../../../src/routing/fault.ts';
import { compileFilterConfigs } from '../../../src/routing/filter-config.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import type { CompiledRouteConfiguration } from '../../../src/routing/types.ts';

const HTTP_FILTERS = 'type.googleapis.com/envoy.extensions.filters.http';

type FilterConfigs = Readonly<Record<string, AnyJson>> | undefined;
interface Configurable {
  typedPerFilterConfig?: FilterConfigs;
  metadata?: { filterMetadata?: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
}

/**
 * Compiles a route configuration together with what its routes tell the filters. Problems name the configuration and the field.
 *
 * @param before the one that runs: virtual hosts that are the same objects are not compiled again
 */
export function compileRoutes(
  json: RouteConfigurationJson,
  before?: CompiledBefore,
): { value: CompiledRouteConfiguration | undefined; problems: Problem[] } {
  const { value, problems } = compileRouteConfiguration(json, before);
  const known = new Set(before?.json.virtualHosts);
  const ofFilters = new ProblemList();
  const visit = (level: Configurable, path: string): void => checkFilterConfigs(level.typedPerFilterConfig, path, ofFilters);
  visit(json, '');
  json.virtualHosts?.forEach((host, h) => {
    if (known.has(host)) return;
    const hostPath = `virtualHosts[${h}]`;
    visit(host, hostPath);
    host.routes?.forEach((route, r) => {
      const routePath = `${hostPath}.routes[${r}]`;
      visit(route, routePath);
      for (const [c, cluster] of (route.route?.weightedClusters?.clusters ?? []).entries())
        visit(cluster, `${routePath}.route.weightedClusters.clusters[${c}]`);
    });
  });
  const all = [...problems, ...ofFilters.all].map((problem) => describe(problem, json));
  return { value: ofFilters.failed ? undefined : value, problems: all };
}

function checkFilterConfigs(configs: FilterConfigs, path: string, problems: ProblemList): void {
  for (const [name, { config }] of compileFilterConfigs(configs)) {
    if (config === undefined) continue;
    const field = `${path === '' ? '' : `${path}.`}typedPerFilterConfig[${JSON.stringify(name)}]`;
    const type = String((config as { '@type'?: unknown })['@type'] ?? '');
    if (type === `${HTTP_FILTERS}.fault.v3.HTTPFault`) compileFault(config as HTTPFaultJson, field, problems);
    else if (type === `${HTTP_FILTERS}.cors.v3.CorsPolicy`) compileCors([config as CorsPolicyJson], field, problems);
    // Ignored, it could open what the filter is to close.
    else problems.unsupported(field, `no filter takes ${type || 'that'} from routes`);
  }
}

/** Names the resource behind the route where the metadata does. */
function describe(problem: Problem, json: RouteConfigurationJson): Problem {
  const at = /^virtualHosts\[(\d+)\](?:\.routes\[(\d+)\])?/.exec(problem.path ?? '');
  const host = at === null ? undefined : json.virtualHosts?.[Number(at[1])];
  const route = at?.[2] === undefined ? undefined : host?.routes?.[Number(at[2])];
  const config = [route, host]
    .map((level) => (level as Configurable | undefined)?.metadata?.filterMetadata?.['istio']?.['config'])
    .find(Boolean);
  const name = `route configuration ${json.name ?? ''}`;
  return { ...problem, message: `${name}: ${problem.message}`, origin: typeof config === 'string' ? config : name };
}
