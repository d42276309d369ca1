import type { JwtAuthenticationJson, RequirementRuleJson } from '#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import { MISSING, WRONG_AUDIENCE } from '../../../src/jwt/parse-jwt.ts';
import { compileProvider, type Provider } from '../../../src/jwt/provider.ts';
import { compileRequirement, type Requirement } from '../../../src/jwt/requirement.ts';
import type { Condition } from '../../../src/routing/condition.ts';
import { compileHeaderMatcher } from '../../../src/routing/header-matcher.ts';
import { compilePathMatcher } from '../../../src/routing/path-matcher.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import { compileQueryMatcher } from '../../../src/routing/query-matcher.ts';
import type { RouteRequest } from '../../../src/routing/request.ts';
import type { Exchange } from '../http/exchange.ts';
import type { HttpFilter, HttpFilterFactory } from './http-filter.ts';
import { compileKeySource, type ExchangeCall, verifyWith } from './jwt/key-source.ts';
import { checkFields } from './unsupported.ts';

/** Where payloads are kept in the dynamic metadata. */
const METADATA = 'envoy.filters.http.jwt_authn';
/** Envoy: so much of a request's URL is told as realm. */
const REALM_LENGTH = 256;
const MATCH_FIELDS: ReadonlySet<string> = new Set(
  'prefix path safeRegex pathSeparatedPrefix connectMatcher caseSensitive headers queryParameters'.split(' '),
);

interface Rule {
  readonly conditions: readonly Condition[];
  /** Undefined: anybody may pass. */
  readonly requirement: Requirement<ExchangeCall> | undefined;
}

/** Verifies JSON web tokens. Envoy: JWT authentication filter. */
export const createJwtAuthn: HttpFilterFactory = (name, config, { statPrefix, stats, path }) => {
  const problems = new ProblemList();
  const json = config as JwtAuthenticationJson & { statPrefix?: string };
  checkFields('JwtAuthentication', json, path, problems);
  const prefix = `http.${statPrefix}.jwt_authn.${json.statPrefix ? `${json.statPrefix}.` : ''}`;
  const allowed = stats.counter(`${prefix}allowed`);
  const denied = stats.counter(`${prefix}denied`);
  const bypassed = stats.counter(`${prefix}cors_preflight_bypassed`);
  const fetches = { success: stats.counter(`${prefix}jwks_fetch_success`), failed: stats.counter(`${prefix}jwks_fetch_failed`) };
  const providers = new Map<string, Provider<ExchangeCall>>();
  for (const [key, provider] of Object.entries(json.providers ?? {})) {
    const where = `${path}.providers[${JSON.stringify(key)}]`;
    checkFields('JwtProvider', provider, where, problems);
    const verify = verifyWith(compileKeySource(provider, where, fetches, problems));
    providers.set(key, compileProvider(key, provider, verify, where, problems));
  }
  const named = new Map<string, Requirement<ExchangeCall>>();
  for (const [key, requirement] of Object.entries(json.requirementMap ?? {}))
    named.set(key, compileRequirement(requirement, providers, `${path}.requirementMap[${JSON.stringify(key)}]`, problems));
  const rules = (json.rules ?? []).map((rule, i) => compileRule(rule, providers, named, `${path}.rules[${i}]`, problems));

  const finish = (call: ExchangeCall, problem: string | undefined, realm: string): void => {
    const { exchange } = call;
    if (exchange.done) return;
    if (Object.keys(call.metadata).length > 0) Object.assign(exchange.dynamicMetadata(METADATA), call.metadata);
    if (problem === undefined) {
      allowed.inc();
      if (call.rematch) exchange.rematch();
      return;
    }
    denied.inc();
    const status = problem === WRONG_AUDIENCE ? 403 : 401;
    const details = `jwt_authn_access_denied{${problem.replace(/\s/g, '_')}}`;
    if (json.stripFailureResponse === true) {
      exchange.localReply(status, '', details);
      return;
    }
    const challenge = `Bearer realm="${realm}"${problem === MISSING ? '' : ', error="invalid_token"'}`;
    exchange.localReply(status, problem, details, ['www-authenticate', challenge]);
  };

  const filter: HttpFilter = {
    name,
    onRequest(exchange) {
      const { request } = exchange;
      if (json.bypassCorsPreflight === true && isPreflight(request)) {
        bypassed.inc();
        allowed.inc();
        return true;
      }
      const rule = rules.find(({ conditions }) => conditions.every((condition) => condition.test(request)));
      if (rule?.requirement === undefined) {
        allowed.inc();
        return true;
      }
      const realm = realmOf(exchange);
      const call: ExchangeCall = { exchange, request, now: Math.floor(Date.now() / 1000), metadata: {}, rematch: false };
      let inside = true;
      let passed = false;
      rule.requirement(call, (problem) => {
        finish(call, problem, realm);
        passed = problem === undefined;
        if (!inside && passed && !exchange.done) exchange.continueRequest();
      });
      inside = false;
      return passed;
    },
  };
  return { filter: problems.failed ? undefined : filter, problems: problems.all };
};

function compileRule(
  json: RequirementRuleJson,
  providers: ReadonlyMap<string, Provider<ExchangeCall>>,
  named: ReadonlyMap<string, Requirement<ExchangeCall>>,
  path: string,
  problems: ProblemList,
): Rule {
  const match = json.match ?? {};
  for (const key of Object.keys(match))
    if (!MATCH_FIELDS.has(key)) problems.unsupported(`${path}.match.${key}`, 'rules go by paths, headers and parameters');
  const conditions = [
    compilePathMatcher(match, false, `${path}.match`, problems),
    ...(match.headers ?? []).map((header, i) => compileHeaderMatcher(header, `headers[${i}]`, `${path}.match.headers[${i}]`, problems)),
    ...(match.queryParameters ?? []).map((parameter, i) =>
      compileQueryMatcher(parameter, `queryParameters[${i}]`, `${path}.match.queryParameters[${i}]`, problems),
    ),
  ];
  if (json.requirementName !== undefined) {
    const requirement = named.get(json.requirementName);
    if (requirement === undefined)
      problems.invalid(
        `${path}.requirementName`,
        `Wrong requirement_name: ${json.requirementName}. It should be one of [${[...named.keys()].join(', ')}]`,
      );
    return { conditions, requirement };
  }
  const requirement = json.requires === undefined ? undefined : compileRequirement(json.requires, providers, `${path}.requires`, problems);
  return { conditions, requirement };
}

function isPreflight(request: RouteRequest): boolean {
  return request.method === 'OPTIONS' && Boolean(request.header('origin')) && Boolean(request.header('access-control-request-method'));
}

function realmOf({ request }: Exchange): string {
  const path = request.firstHeader('x-envoy-original-path') ?? request.path;
  return `${request.forwardedProto}://${request.authority}${path.slice(0, REALM_LENGTH)}`;
}
