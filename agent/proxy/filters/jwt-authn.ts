import type { JwtAuthenticationJson } from '#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import { isPreflight, jwtDenial, realmOf } from '../../../src/jwt/denial.ts';
import { compileProvider, type Provider } from '../../../src/jwt/provider.ts';
import { compileRequirements } from '../../../src/jwt/requirement-rules.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import type { HttpFilter, HttpFilterFactory } from './http-filter.ts';
import { compileKeySource, type ExchangeCall, verifyWith } from './jwt/key-source.ts';
import { checkFields } from './unsupported.ts';

/** Where payloads are kept in the dynamic metadata. */
const METADATA = 'envoy.filters.http.jwt_authn';
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
  const requirementOf = compileRequirements(json, providers, path, problems);

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
    const { status, body, details, headers } = jwtDenial(json, problem, realm);
    exchange.localReply(status, body, details, [...headers]);
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
      const requirement = requirementOf(request);
      if (requirement === undefined) {
        allowed.inc();
        return true;
      }
      const realm = realmOf(request);
      const call: ExchangeCall = { exchange, request, now: Math.floor(Date.now() / 1000), metadata: {}, rematch: false };
      let inside = true;
      let passed = false;
      requirement(call, (problem) => {
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
