import type { JwtProviderJson, RemoteJwksJson } from '#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import { type Jwks, NO_KEYS, NO_SUCH_KEY, parseJwks, verifySignature } from '../../../../src/jwt/jwks.ts';
import type { JwtProblem } from '../../../../src/jwt/parse-jwt.ts';
import type { VerifyKeys } from '../../../../src/jwt/provider.ts';
import type { JwtCall } from '../../../../src/jwt/verify-tokens.ts';
import { jsonDuration } from '../../../../src/routing/json-duration.ts';
import type { ProblemList } from '../../../../src/routing/problems.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { ClusterManager, Counter } from '../../types.ts';
import { callCluster } from '../call-cluster.ts';
import { checkFields } from '../unsupported.ts';

/** Where a provider's keys come from. */
export interface KeySource {
  /** The keys as they are now, or what is wrong; calls back at once when nothing has to be fetched. */
  keys(clusters: ClusterManager, done: (keys: Jwks | JwtProblem) => void): void;
  /** No key had the token's id: fetches once more, though not too often. False: there is nothing newer to be had. */
  renew(clusters: ClusterManager, done: (keys: Jwks | JwtProblem) => void): boolean;
}

export interface FetchStats {
  readonly success: Counter;
  readonly failed: Counter;
}

export const FETCH_FAILED = 'Jwks remote fetch is failed';
/** Envoy's default of cache_duration. */
const CACHE_MS = 10 * 60_000;
/** Envoy: an asynchronous fetch comes so long before the keys expire. */
const AHEAD_MS = 5000;
/** No token may make us ask more often for keys that nobody has, nor for ones that cannot be had. */
const RENEW_MS = 30_000;
const FAILED_MS = 1000;
const RETRY_MS = 200;

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
      // The issuer may have changed its keys since they were fetched.
      if (wrong !== NO_SUCH_KEY || !mayRenew || !source.renew(clusters, (newer) => judge(newer, false))) done(wrong);
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

function remoteKeys(json: RemoteJwksJson, path: string, stats: FetchStats, problems: ProblemList): KeySource {
  checkFields('RemoteJwks', json, path, problems);
  const { uri = '', cluster = '' } = json.httpUri ?? {};
  const found = /^(?:https?:\/\/)?([^/?]+)(.*)$/.exec(uri);
  if (found === null) problems.invalid(`${path}.httpUri.uri`, `${JSON.stringify(uri)} is no URL`);
  if (cluster === '') problems.invalid(`${path}.httpUri.cluster`, 'is required');
  const [, host = '', rest = ''] = found ?? [];
  const timeout = jsonDuration(json.httpUri?.timeout, `${path}.httpUri.timeout`, problems) ?? 0;
  const cacheMs = jsonDuration(json.cacheDuration, `${path}.cacheDuration`, problems) ?? CACHE_MS;
  const failedMs = jsonDuration(json.asyncFetch?.failedRefetchDuration, `${path}.asyncFetch.failedRefetchDuration`, problems) ?? FAILED_MS;
  const retries = json.retryPolicy === undefined ? 0 : Number(json.retryPolicy.numRetries ?? 1);
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  const headers = ['host', host, 'accept', 'application/json'];
  let kept: Jwks | undefined;
  let expires = 0;
  let lastFetch = Number.NEGATIVE_INFINITY;
  let lastFailure = Number.NEGATIVE_INFINITY;
  let waiting: ((keys: Jwks | JwtProblem) => void)[] | undefined;

  function fetchKeys(clusters: ClusterManager, done: (keys: Jwks | JwtProblem) => void): void {
    if (waiting !== undefined) {
      waiting.push(done);
      return;
    }
    waiting = [done];
    lastFetch = performance.now();
    tryFetch(clusters, retries);
  }

  function tryFetch(clusters: ClusterManager, left: number): void {
    callCluster(clusters, { cluster, method: 'GET', path: target, headers: headers.slice(), body: Buffer.alloc(0), timeout }, (answer) => {
      const failed = answer === undefined || answer.status >= 500;
      if (failed && left > 0) {
        setTimeout(tryFetch, RETRY_MS, clusters, left - 1).unref();
        return;
      }
      const keys = answer?.status === 200 && answer.body.length > 0 ? parseJwks(answer.body.toString()) : FETCH_FAILED;
      if (typeof keys === 'string') {
        stats.failed.inc();
        lastFailure = performance.now();
      } else {
        stats.success.inc();
        kept = keys;
        expires = performance.now() + cacheMs;
      }
      const tell = waiting!;
      waiting = undefined;
      // Keys that were good go on to be used when newer ones cannot be had.
      for (const done of tell) done(typeof keys === 'string' ? (kept ?? keys) : keys);
    });
  }

  return {
    keys(clusters, done) {
      const now = performance.now();
      if (kept !== undefined) {
        const recentlyFailed = now - lastFailure < failedMs;
        if (now < expires || recentlyFailed) {
          if (json.asyncFetch !== undefined && !recentlyFailed && now > expires - Math.min(AHEAD_MS, cacheMs / 2))
            fetchKeys(clusters, () => undefined);
          done(kept);
          return;
        }
      }
      fetchKeys(clusters, done);
    },
    renew(clusters, done) {
      if (waiting === undefined && performance.now() - lastFetch < RENEW_MS) return false;
      fetchKeys(clusters, done);
      return true;
    },
  };
}
