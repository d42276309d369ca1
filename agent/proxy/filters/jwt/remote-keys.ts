import type { RetryPolicyJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { RemoteJwksJson } from '#envoy-api/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import { type Jwks, parseJwks } from '../../../../src/jwt/jwks.ts';
import type { JwtProblem } from '../../../../src/jwt/parse-jwt.ts';
import { jsonDuration } from '../../../../src/routing/json-duration.ts';
import type { ProblemList } from '../../../../src/routing/problems.ts';
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
/** Envoy's default. */
const RETRY_MS = 1000;

/** Compiles remote_jwks. `clock` gives milliseconds that never run backwards. */
export function remoteKeys(
  json: RemoteJwksJson,
  path: string,
  stats: FetchStats,
  problems: ProblemList,
  clock: () => number = () => performance.now(),
): KeySource {
  checkFields('RemoteJwks', json, path, problems);
  const { uri = '', cluster = '' } = json.httpUri ?? {};
  const found = /^(?:https?:\/\/)?([^/?]+)(.*)$/.exec(uri);
  if (found === null) problems.invalid(`${path}.httpUri.uri`, `${JSON.stringify(uri)} is no URL`);
  if (cluster === '') problems.invalid(`${path}.httpUri.cluster`, 'is required');
  const [, host = '', rest = ''] = found ?? [];
  const timeout = jsonDuration(json.httpUri?.timeout, `${path}.httpUri.timeout`, problems) ?? 0;
  // Envoy wants it as well: a server that never answers would hold requests for ever.
  if (timeout === 0) problems.invalid(`${path}.httpUri.timeout`, 'is required, above 0');
  const cacheMs = jsonDuration(json.cacheDuration, `${path}.cacheDuration`, problems) ?? CACHE_MS;
  const failedMs = jsonDuration(json.asyncFetch?.failedRefetchDuration, `${path}.asyncFetch.failedRefetchDuration`, problems) ?? FAILED_MS;
  const retries = json.retryPolicy === undefined ? 0 : Number(json.retryPolicy.numRetries ?? 1);
  const backOff = compileBackOff(json.retryPolicy, `${path}.retryPolicy`, problems);
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
    lastFetch = clock();
    tryFetch(clusters, retries);
  }

  function tryFetch(clusters: ClusterManager, left: number): void {
    callCluster(clusters, { cluster, method: 'GET', path: target, headers: headers.slice(), body: Buffer.alloc(0), timeout }, (answer) => {
      const failed = answer === undefined || answer.status >= 500;
      if (failed && left > 0) {
        setTimeout(tryFetch, backOff(retries - left), clusters, left - 1).unref();
        return;
      }
      const keys = answer?.status === 200 ? parseJwks(answer.body.toString()) : FETCH_FAILED;
      if (typeof keys === 'string') {
        stats.failed.inc();
        lastFailure = clock();
      } else {
        stats.success.inc();
        kept = keys;
        expires = clock() + cacheMs;
      }
      const tell = waiting!;
      waiting = undefined;
      // Keys that were good go on to be used when newer ones cannot be had.
      for (const done of tell) done(typeof keys === 'string' ? (kept ?? FETCH_FAILED) : keys);
    });
  }

  return {
    keys(clusters, done) {
      const now = clock();
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
      if (waiting === undefined && clock() - lastFetch < RENEW_MS) return false;
      fetchKeys(clusters, done);
      return true;
    },
  };
}

/** Milliseconds before each retry, at random and longer each time. Envoy's back-off and its defaults. */
function compileBackOff(json: RetryPolicyJson | undefined, path: string, problems: ProblemList): (retry: number) => number {
  if (json !== undefined) checkFields('RetryPolicy', json, path, problems);
  const base = jsonDuration(json?.retryBackOff?.baseInterval, `${path}.retryBackOff.baseInterval`, problems) ?? RETRY_MS;
  const most = jsonDuration(json?.retryBackOff?.maxInterval, `${path}.retryBackOff.maxInterval`, problems) ?? 10 * base;
  return (retry) => Math.random() * Math.min(base * 2 ** retry, most);
}
