import type { JwtProviderJson, JwtRequirementJson } from '#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import type { ProblemList } from '../routing/problems.ts';
import { type JwtProblem, MISSING, UNKNOWN_ISSUER } from './parse-jwt.ts';
import type { Provider } from './provider.ts';
import { compileTokenLocations, type FoundToken } from './token-locations.ts';
import { type JwtCall, type TokenRules, verifyTokens } from './verify-tokens.ts';

/** Calls back once, with undefined when the requirement is met. */
export type Requirement<C extends JwtCall> = (call: C, done: (problem: JwtProblem | undefined) => void) => void;

/** Further tokens of a request, besides those that it carries, for some providers. */
export type MoreTokens<C> = (call: C, providers: readonly JwtProviderJson[]) => readonly FoundToken[];

/** Compiles `JwtRequirement`. Envoy: Verifier. */
export function compileRequirement<C extends JwtCall>(
  json: JwtRequirementJson,
  providers: ReadonlyMap<string, Provider<C>>,
  path: string,
  problems: ProblemList,
  more: MoreTokens<C> = () => [],
): Requirement<C> {
  const kinds = Object.entries(json).filter(([, value]) => value !== undefined);
  if (kinds.length > 1) problems.invalid(path, `only one of ${kinds.map(([key]) => key).join(', ')} may be set`);
  if (json.providerName !== undefined) return ofProvider(json.providerName, undefined, providers, `${path}.providerName`, problems, more);
  if (json.providerAndAudiences !== undefined) {
    const { providerName = '', audiences = [] } = json.providerAndAudiences;
    const own = audiences.length === 0 ? undefined : audiences;
    return ofProvider(providerName, own, providers, `${path}.providerAndAudiences.providerName`, problems, more);
  }
  const list = (of: readonly JwtRequirementJson[] | undefined, where: string): Requirement<C>[] =>
    (of ?? []).map((one, i) => compileRequirement(one, providers, `${path}.${where}.requirements[${i}]`, problems, more));
  if (json.requiresAll !== undefined) return all(list(json.requiresAll.requirements, 'requiresAll'));
  if (json.requiresAny !== undefined) {
    const of = json.requiresAny.requirements ?? [];
    const regular = of.filter((one) => one.allowMissing === undefined && one.allowMissingOrFailed === undefined);
    const failed = of.some((one) => one.allowMissingOrFailed !== undefined);
    const missing = of.some((one) => one.allowMissing !== undefined);
    if (regular.length === 0 && (failed || missing)) return ofAny(providers, failed, more);
    return any(list(regular, 'requiresAny'), missing, failed);
  }
  if (json.allowMissing !== undefined) return ofAny(providers, false, more);
  if (json.allowMissingOrFailed !== undefined) return ofAny(providers, true, more);
  for (const [key] of kinds) problems.unsupported(`${path}.${key}`, 'it is not acted on');
  return (_call, done) => done(undefined);
}

function ofProvider<C extends JwtCall>(
  name: string,
  audiences: readonly string[] | undefined,
  providers: ReadonlyMap<string, Provider<C>>,
  path: string,
  problems: ProblemList,
  more: MoreTokens<C>,
): Requirement<C> {
  const provider = providers.get(name);
  if (provider === undefined) {
    problems.invalid(path, `Required provider ['${name}'] is not configured.`);
    return (_call, done) => done(UNKNOWN_ISSUER);
  }
  const find = compileTokenLocations([provider.json]);
  const rules: TokenRules<C> = { provider: () => provider, ...(audiences && { audiences }), allowFailed: false, allowMissing: false };
  return (call, done) => {
    const { request } = call;
    if (provider.sanitize(request)) call.rematch = true;
    verifyTokens(call, [...find(request), ...more(call, [provider.json])], rules, done);
  };
}

function ofAny<C extends JwtCall>(providers: ReadonlyMap<string, Provider<C>>, allowFailed: boolean, more: MoreTokens<C>): Requirement<C> {
  const all = [...providers.values()];
  const jsons = all.map(({ json }) => json);
  const find = compileTokenLocations(jsons);
  const byIssuer = (issuer: string): Provider<C> | undefined =>
    all.find(({ json }) => (json.issuer ?? '') === issuer) ?? all.find(({ json }) => (json.issuer ?? '') === '');
  const rules: TokenRules<C> = { provider: byIssuer, allowFailed, allowMissing: true };
  return (call, done) => {
    const { request } = call;
    for (const provider of all) if (provider.sanitize(request)) call.rematch = true;
    verifyTokens(call, [...find(request), ...more(call, jsons)], rules, done);
  };
}

function all<C extends JwtCall>(requirements: readonly Requirement<C>[]): Requirement<C> {
  return (call, done) => {
    let met = 0;
    let over = false;
    for (const requirement of requirements) {
      if (over) return;
      requirement(call, (problem) => {
        if (over) return;
        if (problem === undefined && ++met < requirements.length) return;
        over = true;
        done(problem);
      });
    }
  };
}

function any<C extends JwtCall>(requirements: readonly Requirement<C>[], allowMissing: boolean, allowFailed: boolean): Requirement<C> {
  return (call, done) => {
    const failures = new Array<JwtProblem | undefined>(requirements.length);
    let failed = 0;
    let over = false;
    for (const [i, requirement] of requirements.entries()) {
      if (over) return;
      requirement(call, (problem) => {
        if (over) return;
        failures[i] = problem;
        if (problem !== undefined && ++failed < requirements.length) return;
        over = true;
        if (problem === undefined || allowFailed) done(undefined);
        else {
          const worst = worstOf(failures);
          done(allowMissing && worst === MISSING ? undefined : worst);
        }
      });
    }
  };
}

/** Envoy: what says most; that there is no token says least, that it is another's a little more. */
function worstOf(problems: readonly (JwtProblem | undefined)[]): JwtProblem {
  let worst = MISSING;
  for (const problem of problems)
    if (problem !== undefined && ((problem !== MISSING && problem !== UNKNOWN_ISSUER) || worst === MISSING)) worst = problem;
  return worst;
}
