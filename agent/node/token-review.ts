/** Whether a token is that of a pod, which only the API server knows. */
import type { ApiClient } from '../../src/kubernetes/client.ts';
import { reviewToken } from '../../src/kubernetes/token-review.ts';

/** Who a token is of. */
export interface PodCaller {
  namespace: string;
  serviceAccount: string;
  pod: string;
  uid: string;
  /** The node that the pod was bound to when the token was made; API servers before 1.29 do not say. */
  node: string | undefined;
}

/**
 * The pod that a service account's token is bound to, or why it is nobody's. Rejects when the API server does not answer as it should.
 */
export async function reviewPodToken(client: ApiClient, token: string, audience: string): Promise<PodCaller | { refused: string }> {
  const user = await reviewToken(client, token, audience);
  if ('refused' in user) return user;
  const [, namespace, serviceAccount] = /^system:serviceaccount:([^:/]+):([^:/]+)$/.exec(user.username) ?? [];
  if (!namespace || !serviceAccount) return { refused: `${JSON.stringify(user.username)} is no service account` };
  const [pod, uid] = [user.extra('pod-name'), user.extra('pod-uid')];
  if (!pod || !uid) return { refused: 'it is bound to no pod: it must be a projected service account token' };
  return { namespace, serviceAccount, pod, uid, node: user.extra('node-name') };
}
