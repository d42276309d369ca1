import * as assert from 'uvu/assert';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import { compileRouteConfiguration } from '../../src/routing/compile.ts';
import { match } from '../../src/routing/match.ts';
import { ProblemList } from '../../src/routing/problems.ts';
import { RouteRequest, type RouteRequestInit } from '../../src/routing/request.ts';
import type { CompiledRouteConfiguration, RouteDecision } from '../../src/routing/types.ts';

/** Compiles a configuration that must be fine. */
export function compiled(json: RouteConfigurationJson): CompiledRouteConfiguration {
  const { value, problems } = compileRouteConfiguration(json);
  assert.equal(problems, []);
  return value!;
}

export const request = (path: string, headers: string[] = [], more: Partial<RouteRequestInit> = {}): RouteRequest =>
  new RouteRequest({ method: 'GET', scheme: 'http', authority: 'h', ...more, path, headers });

/** The decision of a request under a configuration with one virtual host for everything, which must forward. */
export function forwarded(routes: object[], r: RouteRequest, more: object = {}): RouteDecision {
  const decision = match(compiled({ virtualHosts: [{ name: 'v', domains: ['*'], routes, ...more }] } as RouteConfigurationJson), r);
  assert.is(decision.kind, 'route');
  return decision as RouteDecision;
}

/** Compiles with a function that reports into a list; there must be no problem. */
export function fine<T>(make: (problems: ProblemList) => T): T {
  const problems = new ProblemList();
  const value = make(problems);
  assert.equal(problems.all, []);
  return value;
}
