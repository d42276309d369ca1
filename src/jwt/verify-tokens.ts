import type { RouteRequest } from '../routing/request.ts';
import { type Jwt, type JwtProblem, MISSING, parseJwt, UNKNOWN_ISSUER, WRONG_AUDIENCE } from './parse-jwt.ts';
import type { Provider } from './provider.ts';
import type { FoundToken } from './token-locations.ts';

/** One request on its way through the filter. */
export interface JwtCall {
  readonly request: RouteRequest;
  /** Seconds since 1970. */
  readonly now: number;
  /** What is left in the dynamic metadata when the filter is done. */
  readonly metadata: Record<string, unknown>;
  /** The route is to be found anew. */
  rematch: boolean;
}

export interface TokenRules<C> {
  /** The provider that a token has to be of; undefined: any that its issuer names. */
  provider(issuer: string): Provider<C> | undefined;
  /** Replaces the provider's. */
  audiences?: readonly string[];
  allowFailed: boolean;
  allowMissing: boolean;
}

/**
 * Verifies all tokens of a request; each has to be good, unless failures are allowed: otherwise a bad one could ride on a good one. Calls
 * back at once, unless keys have to be fetched. Envoy: Authenticator.
 */
export function verifyTokens<C extends JwtCall>(
  call: C,
  tokens: FoundToken[],
  rules: TokenRules<C>,
  done: (problem: JwtProblem | undefined) => void,
): void {
  if (tokens.length === 0) {
    done(rules.allowFailed || rules.allowMissing ? undefined : MISSING);
    return;
  }
  const next = (): void => {
    // Envoy begins with the last.
    const token = tokens.pop()!;
    verifyOne(call, token, rules, (problem) => {
      const goOn = problem === undefined || rules.allowFailed || rules.allowMissing;
      if (goOn && tokens.length > 0) next();
      else done(rules.allowFailed ? undefined : problem);
    });
  };
  next();
}

function verifyOne<C extends JwtCall>(
  call: C,
  found: FoundToken,
  rules: TokenRules<C>,
  done: (problem: JwtProblem | undefined) => void,
): void {
  const jwt = parseJwt(found.token);
  if (typeof jwt === 'string') {
    done(jwt);
    return;
  }
  const provider = found.mayBeOf(jwt.issuer) ? rules.provider(jwt.issuer) : undefined;
  if (provider === undefined) {
    done(UNKNOWN_ISSUER);
    return;
  }
  const problem = provider.check(jwt, call.now);
  if (problem !== undefined) {
    done(problem);
    return;
  }
  if (!audienceAllowed(jwt, rules.audiences ?? provider.json.audiences ?? [])) {
    done(WRONG_AUDIENCE);
    return;
  }
  provider.verify(jwt, call, (wrong) => {
    if (wrong !== undefined) {
      done(wrong);
      return;
    }
    provider.accept(jwt, call.request, call.metadata);
    if (provider.json.forward !== true) found.remove(call.request);
    if (provider.json.clearRouteCache === true) call.rematch = true;
    done(undefined);
  });
}

/** Envoy: a slash at the end, and the scheme before it, do not count. */
function audienceAllowed({ audiences }: Jwt, allowed: readonly string[]): boolean {
  if (allowed.length === 0) return true;
  const wanted = new Set(allowed.map(plainAudience));
  return audiences.some((audience) => wanted.has(plainAudience(audience)));
}

function plainAudience(text: string): string {
  const bare = text.replace(/^https?:\/\//, '');
  return bare.endsWith('/') ? bare.slice(0, -1) : bare;
}
