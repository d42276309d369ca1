/**
 * A CA inside a cluster: knows service accounts by their tokens, which the API server checks, keeps its roots in a ConfigMap, and signs
 * CertificateSigningRequests.
 */
import { FairleadError } from '../../src/errors.ts';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import type { Log } from '../log.ts';
import { Denied } from './denied.ts';
import type { Signing } from './issue-reserved.ts';
import { kubernetesIdentity } from './jwt-callers.ts';
import { publishRoots } from './publish-roots.ts';
import type { NodeAgents } from './requests/requester.ts';
import { signRequests } from './requests/sign-requests.ts';

export interface CaCluster {
  /** The SPIFFE ID of the service account that a token is of. Throws Denied, whose message never repeats the token. */
  identityOf(token: string, trustDomain: string): Promise<string>;
  /** Publishes the roots and signs requests, whatever of both is wanted. Returns what ends it. */
  serve(signing: Signing, log: Log): () => Promise<void>;
  close(): void;
}

export interface CaClusterOptions {
  client: ApiClient;
  /** What tokens must be meant for. */
  audience: string;
  /** `NAMESPACE/NAME`; undefined: the roots are not published. */
  rootsConfigMap: { namespace: string; name: string } | undefined;
  /** Whose CertificateSigningRequests are signed: `fairlead.dev/mesh`; undefined: none are. */
  signerName: string | undefined;
  nodeAgents: NodeAgents;
}

/** Nothing is asked yet. */
export function createCaCluster({ client, audience, rootsConfigMap, signerName, nodeAgents }: CaClusterOptions): CaCluster {
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
    serve(signing, log) {
      const bundle = () => {
        const { rootsPem, sequence, state } = signing.live();
        return { roots: rootsPem, sequence, renew: state.authorities.filter(({ stage }) => stage === 'tainted').map(({ id }) => id) };
      };
      const roots = rootsConfigMap && publishRoots(client, rootsConfigMap, bundle, log);
      const spread = (): number => roots?.spread() ?? 0;
      const stop = signerName === undefined ? undefined : signRequests({ client, signerName, nodeAgents, signing, spread, log });
      return async () => {
        roots?.close();
        await stop?.();
      };
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
