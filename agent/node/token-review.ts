/** Whether a token is that of a pod, which only the API server knows. */
import type { ApiClient } from '../../src/kubernetes/client.ts';

/** Who a token is of. */
export interface PodCaller {
  namespace: string;
  serviceAccount: string;
  pod: string;
  uid: string;
  /** The node that the pod was bound to when the token was made; API servers before 1.29 do not say. */
  node: string | undefined;
}

interface Status {
  authenticated?: boolean;
  audiences?: string[];
  error?: string;
  user?: { username?: string; extra?: Readonly<Record<string, readonly string[]>> };
}

const PREFIX = 'authentication.kubernetes.io/';

/**
 * The pod that a service account's token is bound to, or why it is nobody's. Rejects when the API server does not answer as it should.
 * https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
 */
export async function reviewPodToken(client: ApiClient, token: string, audience: string): Promise<PodCaller | { refused: string }> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: [audience] } };
  const answer = await client.request('/apis/authentication.k8s.io/v1/tokenreviews', { method: 'POST', body });
  const { authenticated, audiences, error, user } = (answer as { status?: Status }).status ?? {};
  if (!authenticated) return { refused: error || 'the API server does not know it' };
  // An API server that knows nothing of audiences would take any token for any of them.
  if (!audiences?.includes(audience)) return { refused: `it is not meant for ${audience}` };
  const [, namespace, serviceAccount] = /^system:serviceaccount:([^:/]+):([^:/]+)$/.exec(user?.username ?? '') ?? [];
  if (!namespace || !serviceAccount) return { refused: `${JSON.stringify(user?.username ?? '')} is no service account` };
  const of = (name: string): string | undefined => user?.extra?.[PREFIX + name]?.[0];
  const [pod, uid] = [of('pod-name'), of('pod-uid')];
  if (!pod || !uid) return { refused: 'it is bound to no pod: it must be a projected service account token' };
  return { namespace, serviceAccount, pod, uid, node: of('node-name') };
}
