/** A CA inside a cluster: knows service accounts by their tokens, which the API server checks, and keeps its roots in a ConfigMap. */
import { FairleadError } from '../../src/errors.ts';
import { createBackOff, pause } from '../../src/kubernetes/back-off.ts';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import type { Log } from '../log.ts';
import { Denied } from './denied.ts';
import { kubernetesIdentity } from './jwt-callers.ts';

export interface CaCluster {
  /** The SPIFFE ID of the service account that a token is of. Throws Denied, whose message never repeats the token. */
  identityOf(token: string, trustDomain: string): Promise<string>;
  /** Writes the trust bundle (PEM) into the ConfigMap whenever it changes, and tries again while that fails. Returns what ends it. */
  keepRoots(roots: () => string, log: Log): () => void;
  close(): void;
}

export interface CaClusterOptions {
  client: ApiClient;
  /** What tokens must be meant for. */
  audience: string;
  /** `NAMESPACE/NAME`; undefined: the roots are not published. */
  rootsConfigMap: { namespace: string; name: string } | undefined;
}

/** The key of Istio's own ConfigMap istio-ca-root-cert. */
const ROOTS_KEY = 'root-cert.pem';
const LOOK_MS = 2000;
/** Somebody may have edited it. */
const WRITE_ANYWAY_MS = 300_000;

/** Nothing is asked yet. */
export function createCaCluster({ client, audience, rootsConfigMap }: CaClusterOptions): CaCluster {
  return {
    async identityOf(token, trustDomain) {
      const fail = (why: string): Denied => new Denied('unauthenticated', `the token is not accepted: ${why}`);
      // Strangers must not make this ask the API server.
      const { decodeJwt } = await import('jose');
      let claims: ReturnType<typeof decodeJwt>;
      try {
        claims = decodeJwt(token);
      } catch {
        throw fail('it is no JSON Web Token');
      }
      if (![claims.aud].flat().includes(audience)) throw fail(`it is not meant for ${audience}`);
      if ((claims.exp ?? 0) * 1000 < Date.now()) throw fail('it has expired');
      const { authenticated, audiences, error, user } = await review(client, token, audience);
      if (!authenticated) throw fail(error || 'the API server does not know it');
      // An API server that knows nothing of audiences would take any token for any of them.
      if (!audiences?.includes(audience)) throw fail(`it is not meant for ${audience}`);
      const identity = kubernetesIdentity(user?.username ?? '', trustDomain);
      if (identity === undefined) throw fail(`${JSON.stringify(user?.username ?? '')} is no service account`);
      return identity;
    },
    keepRoots(roots, log) {
      const stop = new AbortController();
      if (rootsConfigMap !== undefined) void keepRoots(client, rootsConfigMap, roots, log, stop.signal);
      return () => stop.abort();
    },
    close: () => client.close(),
  };
}

interface TokenReviewStatus {
  authenticated?: boolean;
  audiences?: string[];
  error?: string;
  user?: { username?: string };
}

/** https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/ */
async function review(client: ApiClient, token: string, audience: string): Promise<TokenReviewStatus> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: [audience] } };
  const answer = await client.request('/apis/authentication.k8s.io/v1/tokenreviews', { method: 'POST', body }).catch((error: Error) => {
    const why = error instanceof FairleadError ? error.code : error.name;
    throw new Denied('unavailable', `the token cannot be checked now: the API server does not answer as it should (${why})`);
  });
  return (answer as { status?: TokenReviewStatus }).status ?? {};
}

async function keepRoots(
  client: ApiClient,
  { namespace, name }: { namespace: string; name: string },
  roots: () => string,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const backOff = createBackOff({ first: 1000, longest: 30_000 });
  const path = `/api/v1/namespaces/${namespace}/configmaps/${name}?fieldManager=fairlead-ca&force=true`;
  let written: string | undefined;
  let at = 0;
  let failed = false;
  while (!signal.aborted) {
    const now = roots();
    if (now === written && performance.now() - at < WRITE_ANYWAY_MS) {
      await pause(LOOK_MS, signal);
      continue;
    }
    try {
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { [ROOTS_KEY]: now } };
      await client.request(path, { method: 'PATCH', body, contentType: 'application/apply-patch+yaml', signal });
      if (written !== now || failed) log.info('the roots are published', { configMap: `${namespace}/${name}` });
      written = now;
      at = performance.now();
      failed = false;
      backOff.reset();
    } catch (error) {
      if (signal.aborted) return;
      if (!failed)
        log.error('the roots are not published; it is tried again', { configMap: `${namespace}/${name}`, why: (error as Error).message });
      failed = true;
      await pause(backOff.next(), signal);
    }
  }
}
