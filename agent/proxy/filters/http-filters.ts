import type { HttpFilterJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { Problem } from '../../../src/errors.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import type { RouterSettings } from '../http/connection-manager.ts';
import { refuseFields } from '../listener/unsupported.ts';
import type { StatsRegistry } from '../types.ts';
import { createCors } from './cors.ts';
import { createDynamicForwardProxy } from './dynamic-forward-proxy.ts';
import { createExtAuthz } from './ext-authz.ts';
import { createFault } from './fault.ts';
import { createGrpcStats } from './grpc-stats.ts';
import { createGrpcWeb } from './grpc-web.ts';
import type { HttpFilter, HttpFilterFactory } from './http-filter.ts';
import { createJwtAuthn } from './jwt-authn.ts';
import { createRbac } from './rbac.ts';
import { readRouterSettings } from './router-settings.ts';

const PACKAGE = 'type.googleapis.com/envoy.extensions.filters.http';
const ROUTER = `${PACKAGE}.router.v3.Router`;

/** Every HTTP filter that there is, by its configuration's type; others are refused. */
const FACTORIES: Readonly<Record<string, HttpFilterFactory>> = {
  [`${PACKAGE}.rbac.v3.RBAC`]: createRbac,
  [`${PACKAGE}.ext_authz.v3.ExtAuthz`]: createExtAuthz,
  [`${PACKAGE}.jwt_authn.v3.JwtAuthentication`]: createJwtAuthn,
  [`${PACKAGE}.fault.v3.HTTPFault`]: createFault,
  [`${PACKAGE}.cors.v3.Cors`]: createCors,
  [`${PACKAGE}.grpc_stats.v3.FilterConfig`]: createGrpcStats,
  [`${PACKAGE}.grpc_web.v3.GrpcWeb`]: createGrpcWeb,
  [`${PACKAGE}.dynamic_forward_proxy.v3.FilterConfig`]: createDynamicForwardProxy,
};

export interface CompiledHttpFilters {
  filters: readonly HttpFilter[];
  router: RouterSettings;
  problems: readonly Problem[];
}

/** Compiles a connection manager's filter chain; the router must be its last. */
export function compileHttpFilters(
  chain: readonly HttpFilterJson[],
  path: string,
  statPrefix: string,
  stats: StatsRegistry,
): CompiledHttpFilters {
  const problems = new ProblemList();
  const found: Problem[] = [];
  const filters: HttpFilter[] = [];
  let router: RouterSettings | undefined;
  for (const [i, json] of chain.entries()) {
    const field = `${path}.httpFilters[${i}]`;
    const config = json.typedConfig;
    const type = String((config as { '@type'?: unknown } | undefined)?.['@type'] ?? '');
    if (json.configDiscovery !== undefined) {
      problems.unsupported(`${field}.configDiscovery`, 'filters are configured in place');
      continue;
    }
    if (type === ROUTER) {
      if (i !== chain.length - 1) problems.invalid(field, 'the router must be the last filter');
      refuseFields('Router', config as object, `${field}.typedConfig`, problems);
      router = readRouterSettings(config as object);
      continue;
    }
    const factory = Object.hasOwn(FACTORIES, type) ? FACTORIES[type] : undefined;
    if (factory === undefined) {
      if (json.isOptional === true) continue;
      found.push({
        severity: 'error',
        rule: 'unsupported/http-filter',
        message: `${field}: the HTTP filter ${json.name ?? type} is not supported`,
        path: field,
      });
      continue;
    }
    if (json.disabled === true) problems.unsupported(`${field}.disabled`, 'a filter is on for all routes or for none');
    const made = factory(json.name ?? '', config!, { statPrefix, stats, path: `${field}.typedConfig` });
    found.push(...made.problems);
    if (made.filter !== undefined) filters.push(made.filter);
  }
  if (router === undefined && found.length === 0) problems.invalid(`${path}.httpFilters`, 'the last filter must be the router');
  return { filters, router: router ?? readRouterSettings({}), problems: [...problems.all, ...found] };
}
