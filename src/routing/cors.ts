import type { CorsPolicyJson } from '#envoy-api/envoy/extensions/filters/http/cors/v3/cors_pb.js';
import { compileRuntimeFraction, takes } from './fraction.ts';
import { setHeader } from './header-mutation.ts';
import type { ProblemList } from './problems.ts';
import type { RouteRequest } from './request.ts';
import { compileStringMatcher, type ValueMatcher } from './string-matcher.ts';
import type { Fraction } from './types.ts';
import { toWire } from './wire-text.ts';

export interface CompiledCors {
  readonly origins: readonly ValueMatcher[];
  readonly allowMethods: string;
  readonly allowHeaders: string;
  readonly exposeHeaders: string;
  readonly maxAge: string;
  readonly allowCredentials: boolean;
  readonly allowPrivateNetwork: boolean;
  readonly forwardUnmatchedPreflights: boolean;
  readonly enabled: Fraction;
}

/** What the CORS filter does to one request. `preflight` is answered with 200 and these headers (details cors_response). */
export type CorsDecision =
  | { kind: 'pass' }
  | { kind: 'preflight'; headers: string[] }
  /** The response of the upstream gets these headers: see applyCors. */
  | { kind: 'actual'; origin: string };

const pass: CorsDecision = { kind: 'pass' };

/**
 * Compiles the CORS policies of a request's levels, most specific first: of each field the first that says something counts
 * (Envoy 1.40). Undefined without any policy.
 */
export function compileCors(policies: readonly CorsPolicyJson[], path: string, problems: ProblemList): CompiledCors | undefined {
  const [first] = policies;
  if (first === undefined) return undefined;
  const text = (field: 'allowMethods' | 'allowHeaders' | 'exposeHeaders' | 'maxAge'): string =>
    toWire(policies.find((p) => (p[field] ?? '') !== '')?.[field] ?? '');
  const flag = (field: 'allowCredentials' | 'allowPrivateNetworkAccess' | 'forwardNotMatchingPreflights'): boolean | undefined =>
    policies.find((p) => p[field] !== undefined)?.[field];
  const origins = policies.find((p) => (p.allowOriginStringMatch ?? []).length > 0)?.allowOriginStringMatch ?? [];
  return {
    origins: origins.map((m, i) => compileStringMatcher(m, `${path}.allowOriginStringMatch[${i}]`, problems)),
    allowMethods: text('allowMethods'),
    allowHeaders: text('allowHeaders'),
    exposeHeaders: text('exposeHeaders'),
    maxAge: text('maxAge'),
    allowCredentials: flag('allowCredentials') ?? false,
    allowPrivateNetwork: flag('allowPrivateNetworkAccess') ?? false,
    forwardUnmatchedPreflights: flag('forwardNotMatchingPreflights') ?? true,
    enabled:
      first.filterEnabled === undefined
        ? { numerator: 100, denominator: 100 }
        : compileRuntimeFraction(first.filterEnabled, `${path}.filterEnabled`, problems),
  };
}

/** Decides a request; only for requests with a route to a cluster (Envoy: redirects and direct responses get no CORS). */
export function decideCors(cors: CompiledCors, request: RouteRequest, random: () => number = Math.random): CorsDecision {
  const origin = request.header('origin');
  if (origin === undefined || origin === '' || !takes(cors.enabled, random())) return pass;
  const allowed = cors.origins.some((matcher) => matcher.test('*') || matcher.test(origin));
  const method = request.method === 'OPTIONS' ? (request.header('access-control-request-method') ?? '') : '';
  if (method === '') return allowed ? { kind: 'actual', origin } : pass;
  if (!allowed && cors.forwardUnmatchedPreflights) return pass;
  const headers: string[] = [];
  if (allowed) headers.push('access-control-allow-origin', origin);
  if (cors.allowCredentials) headers.push('access-control-allow-credentials', 'true');
  if (cors.allowMethods !== '') headers.push('access-control-allow-methods', cors.allowMethods === '*' ? method : cors.allowMethods);
  if (cors.allowHeaders !== '') {
    const asked = request.header('access-control-request-headers') ?? '';
    headers.push('access-control-allow-headers', cors.allowHeaders === '*' ? asked : cors.allowHeaders);
  }
  if (cors.maxAge !== '') headers.push('access-control-max-age', cors.maxAge);
  if (cors.allowPrivateNetwork && request.header('access-control-request-private-network') === 'true') {
    headers.push('access-control-allow-private-network', 'true');
  }
  return { kind: 'preflight', headers };
}

/** Puts the CORS headers of an `actual` decision on a response, in place. */
export function applyCors(cors: CompiledCors, decision: CorsDecision, headers: string[]): void {
  if (decision.kind !== 'actual') return;
  setHeader(headers, 'access-control-allow-origin', decision.origin);
  if (cors.allowCredentials) setHeader(headers, 'access-control-allow-credentials', 'true');
  if (cors.exposeHeaders !== '') setHeader(headers, 'access-control-expose-headers', cors.exposeHeaders);
}
