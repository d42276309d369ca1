import type { JwtAuthenticationJson, JwtProviderJson } from '#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import { JWT_FILTER } from '../../envoy/security/claim-matchers.ts';
import { isPreflight, jwtDenial, realmOf } from '../../jwt/denial.ts';
import { parseJwks, verifySignature } from '../../jwt/jwks.ts';
import type { Jwt, JwtProblem } from '../../jwt/parse-jwt.ts';
import { compileProvider, type Provider, type VerifyKeys } from '../../jwt/provider.ts';
import { compileRequirements, type RequirementOf } from '../../jwt/requirement-rules.ts';
import type { FoundToken } from '../../jwt/token-locations.ts';
import { EXPIRED, NOT_YET } from '../../jwt/token-problems.ts';
import type { JwtCall } from '../../jwt/verify-tokens.ts';
import { ProblemList } from '../../routing/problems.ts';
import type { GuardState, GuardVerdict } from './guard.ts';

interface Call extends JwtCall {
  readonly state: GuardState;
  /** Issuers whose keys would have to be fetched. */
  readonly unverified: Set<string>;
  /** Tokens that were accepted. */
  readonly accepted: Jwt[];
  /** The issuer of the last token whose keys were asked for. */
  seen: string | undefined;
}

interface Compiled {
  readonly requirementOf: RequirementOf<Call>;
  readonly issuers: readonly string[];
  readonly problem: string | undefined;
}

/** The signature of a token that was made of claims. */
const TAKEN_AS_GOOD = 'taken-as-good';

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const isMade = ({ header }: Jwt): boolean => header['typ'] === TAKEN_AS_GOOD;

/** A token with these claims; without an issuer it is the first one's that the filter knows. */
function made(claims: Readonly<Record<string, unknown>>, issuers: readonly string[]): string {
  const issuer = claims['iss'] === undefined && issuers[0] ? { iss: issuers[0] } : {};
  return `${encoded({ alg: 'RS256', typ: TAKEN_AS_GOOD })}.${encoded({ ...issuer, ...claims })}.${encoded({})}`;
}

function keysOf({ localJwks, issuer = '' }: JwtProviderJson): VerifyKeys<Call> {
  const text = localJwks?.inlineString;
  return (jwt, call, done) => {
    call.seen = jwt.issuer;
    if (isMade(jwt)) {
      call.accepted.push(jwt);
      return done(undefined);
    }
    const keys = text === undefined ? undefined : parseJwks(text);
    const wrong = keys === undefined ? undefined : typeof keys === 'string' ? keys : verifySignature(jwt, keys);
    if (keys === undefined) call.unverified.add(issuer || jwt.issuer);
    if (wrong === undefined) call.accepted.push(jwt);
    done(wrong);
  };
}

/** What is said to be accepted does not expire. */
function timeless(provider: Provider<Call>): Provider<Call> {
  return {
    ...provider,
    check(jwt, now) {
      const wrong = provider.check(jwt, now);
      return isMade(jwt) && (wrong === EXPIRED || wrong === NOT_YET) ? undefined : wrong;
    },
  };
}

const known = new WeakMap<JwtAuthenticationJson, Compiled>();

function compile(json: JwtAuthenticationJson): Compiled {
  let compiled = known.get(json);
  if (compiled !== undefined) return compiled;
  const problems = new ProblemList();
  const providers = new Map<string, Provider<Call>>();
  for (const [key, provider] of Object.entries(json.providers ?? {}))
    providers.set(key, timeless(compileProvider(key, provider, keysOf(provider), `providers[${JSON.stringify(key)}]`, problems)));
  const issuers = Object.values(json.providers ?? {}).map(({ issuer = '' }) => issuer);
  const more = ({ state }: Call, of: readonly JwtProviderJson[]): readonly FoundToken[] => {
    const { claims } = state;
    if (claims === undefined) return [];
    const remove = (): void => {
      state.claims = undefined;
    };
    return [{ token: made(claims, issuers), mayBeOf: (issuer) => of.some((p) => !p.issuer || p.issuer === issuer), remove }];
  };
  const requirementOf = compileRequirements(json, providers, '', problems, more);
  compiled = { requirementOf, issuers, problem: problems.all.find((p) => p.severity === 'error')?.message };
  known.set(json, compiled);
  return compiled;
}

const sayWhose = ({ issuer, subject }: Jwt): string =>
  `the token of ${issuer === '' ? 'nobody' : issuer}${subject === '' ? '' : ` for ${subject}`}`;

/** Evaluates a filter that checks tokens: claims that are said to be accepted, and real tokens whose keys are in the configuration. */
export function evaluateJwt(json: JwtAuthenticationJson, state: GuardState): GuardVerdict {
  const { request } = state;
  if (request === undefined) return { kind: 'silent' };
  const { requirementOf, issuers, problem: unreadable } = compile(json);
  if (unreadable !== undefined) return { kind: 'unevaluated', why: unreadable };
  if (json.bypassCorsPreflight === true && isPreflight(request)) return { kind: 'lets-pass', why: 'asks CORS preflights for no token' };
  const requirement = requirementOf(request);
  if (requirement === undefined) return { kind: 'silent' };
  const realm = realmOf(request);
  const call: Call = { request, state, now: state.now, metadata: {}, rematch: false, unverified: new Set(), accepted: [], seen: undefined };
  // Nothing is fetched here, so that the answer is there at once.
  let problem: JwtProblem | undefined;
  requirement(call, (found) => {
    problem = found;
  });
  if (Object.keys(call.metadata).length > 0) state.metadata[JWT_FILTER] = { ...(state.metadata[JWT_FILTER] as object), ...call.metadata };
  if (problem !== undefined) {
    const denial = jwtDenial(json, problem, realm);
    const origin = state.tokenRule(call.seen ?? issuers[0] ?? '');
    return { kind: 'denies', why: `refuses the token: ${problem}`, flags: '-', ...denial, ...(origin !== undefined && { origin }) };
  }
  if (call.rematch) state.rematch = true;
  const origin = state.tokenRule(call.seen ?? '');
  const written = origin === undefined ? {} : { origin };
  const tokens = call.accepted.map(sayWhose).filter((text, i, all) => all.indexOf(text) === i);
  if (call.unverified.size > 0) {
    const whose = [...call.unverified].join(', ');
    return {
      kind: 'assumed',
      why: `takes ${tokens.join(' and ')} as genuine: the keys of ${whose} are fetched by the proxy, and not known here`,
      depends: `the signature of the token is checked with keys of ${whose}, which are not known here`,
      ...written,
    };
  }
  if (tokens.length === 0) return { kind: 'lets-pass', why: 'finds no token, and requires none' };
  const given = call.accepted.some(isMade);
  return { kind: 'lets-pass', why: `accepts ${tokens.join(' and ')}${given ? ', as given' : ''}`, ...written };
}
