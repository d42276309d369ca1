/**
 * A CA inside a cluster: knows service accounts by their tokens, which the API server checks, keeps its roots in a ConfigMap, and signs
 * CertificateSigningRequests.
 */
import { FairleadError } from '../../src/errors.ts';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import { reviewToken, tokenFault } from '../../src/kubernetes/token-review.ts';
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
      const fault = tokenFault(token, audience);
      if (fault !== undefined) throw fail(fault);
      const user = await reviewToken(client, token, audience).catch((error: Error) => {
        const why = error instanceof FairleadError ? error.code : error.name;
        throw new Denied('unavailable', `the token cannot be checked now: the API server does not answer as it should (${why})`);
      });
      if ('refused' in user) throw fail(user.refused);
      const identity = kubernetesIdentity(user.username, trustDomain);
      if (identity === undefined) throw fail(`${JSON.stringify(user.username)} is no service account`);
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
