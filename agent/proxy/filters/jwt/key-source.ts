import type { JwtProviderJson } from '#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import { type Jwks, NO_KEYS, NO_SUCH_KEY, parseJwks, verifySignature } from '../../../../src/jwt/jwks.ts';
import { type JwtProblem, VERIFICATION_FAILS } from '../../../../src/jwt/parse-jwt.ts';
import type { VerifyKeys } from '../../../../src/jwt/provider.ts';
import type { JwtCall } from '../../../../src/jwt/verify-tokens.ts';
import type { ProblemList } from '../../../../src/routing/problems.ts';
import type { Exchange } from '../../http/exchange.ts';
import { type FetchStats, type KeySource, remoteKeys } from './remote-keys.ts';

/** A request on its way through the filter. */
export interface ExchangeCall extends JwtCall {
  readonly exchange: Exchange;
}

/** Verifies signatures with the keys of a source. */
export function verifyWith(source: KeySource): VerifyKeys<ExchangeCall> {
  return (jwt, { exchange }, done) => {
    const { clusters } = exchange.manager;
    const judge = (keys: Jwks | JwtProblem, mayRenew: boolean): void => {
      if (exchange.done) return;
      const wrong = typeof keys === 'string' ? keys : verifySignature(jwt, keys);
      // The issuer may have changed its keys since they were fetched; a token that names no key may be by a new one, too.
      const byNewer = wrong === NO_SUCH_KEY || (wrong === VERIFICATION_FAILS && jwt.kid === '');
      if (!byNewer || !mayRenew || !source.renew(clusters, (newer) => judge(newer, false))) done(wrong);
    };
    source.keys(clusters, (keys) => judge(keys, true));
  };
}

/** Compiles local_jwks or remote_jwks. */
export function compileKeySource(json: JwtProviderJson, path: string, stats: FetchStats, problems: ProblemList): KeySource {
  if (json.localJwks !== undefined) return localKeys(json.localJwks, `${path}.localJwks`, problems);
  if (json.remoteJwks !== undefined) return remoteKeys(json.remoteJwks, `${path}.remoteJwks`, stats, problems);
  problems.invalid(path, 'one of remoteJwks, localJwks is required');
  return fixed(NO_KEYS);
}

function localKeys(json: NonNullable<JwtProviderJson['localJwks']>, path: string, problems: ProblemList): KeySource {
  const { inlineString, inlineBytes } = json;
  const text = inlineString ?? (inlineBytes === undefined ? undefined : Buffer.from(inlineBytes, 'base64').toString());
  const keys = parseJwks(text ?? '');
  if (text === undefined) problems.unsupported(path, 'keys are configured in place (inlineString)');
  else if (typeof keys === 'string') problems.invalid(path, `invalid local jwks: ${keys}`);
  return fixed(keys);
}

function fixed(keys: Jwks | JwtProblem): KeySource {
  return { keys: (_clusters, done) => done(keys), renew: () => false };
}
