/** Whose request it is, and whether what it names is its own to ask for. */

import type { ApiClient } from '../../../src/kubernetes/client.ts';
import { listObjects } from '../../../src/kubernetes/list.ts';
import { formatSpiffeId, parseSpiffeId } from '../../../src/pki/spiffe-id.ts';
import type { Caller } from '../issue.ts';
import { kubernetesIdentity } from '../jwt-callers.ts';
import { type Refusal, refusal, type SigningRequest } from './signing-request.ts';

/** Service accounts of agents that ask for the pods of their node: patterns of `NAMESPACE/NAME`. */
export type NodeAgents = readonly RegExp[];

export interface Requester {
  caller: Caller;
  /** Who shares a rate limit. */
  limitedAs: string;
  /** Why an agent may not ask for this identity, unless the policy allows it. */
  notVouched?: Refusal;
}

/** Of a token that is bound to a pod: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/ */
const NODE_NAME = 'authentication.kubernetes.io/node-name';

/**
 * Believes what the API server has written of the requester, and nothing that the requester has written of itself; asks the API server for
 * the pods of an agent's node. Throws as `ApiClient.request`.
 */
export async function requesterOf(
  client: ApiClient,
  { spec }: SigningRequest,
  identity: string,
  { trustDomain, nodeAgents, signal }: { trustDomain: string; nodeAgents: NodeAgents; signal: AbortSignal },
): Promise<Requester | Refusal> {
  const user = spec.username ?? '';
  const name = kubernetesIdentity(user, trustDomain);
  if (name === undefined)
    return refusal('NotAServiceAccount', `certificates of the mesh are for service accounts, and ${JSON.stringify(user)} is none`);
  const caller: Caller = { name, by: 'csr' };
  const [, , namespace, account] = user.split(':');
  if (name === identity || !nodeAgents.some((pattern) => pattern.test(`${namespace}/${account}`))) return { caller, limitedAs: name };
  const node = spec.extra?.[NODE_NAME]?.[0];
  if (node === undefined)
    return {
      caller,
      limitedAs: name,
      notVouched: refusal('NotOfThisNode', 'the token of the agent is not bound to a pod, so that its node is not known'),
    };
  const limitedAs = `${name} ${node}`;
  if (await runsOn(client, node, identity, trustDomain, signal)) return { caller: { ...caller, vouched: identity }, limitedAs };
  return { caller, limitedAs, notVouched: refusal('NotOfThisNode', `no pod of the node ${node} has the identity ${identity}`) };
}

async function runsOn(client: ApiClient, node: string, identity: string, trustDomain: string, signal: AbortSignal): Promise<boolean> {
  const parsed = parseSpiffeId(identity);
  const [, namespace, account] = (parsed.ok && /^\/ns\/([a-z0-9-]+)\/sa\/([a-z0-9.-]+)$/.exec(parsed.id.path)) || [];
  if (namespace === undefined || account === undefined) return false;
  if (kubernetesIdentity(`system:serviceaccount:${namespace}:${account}`, trustDomain) !== (parsed.ok && formatSpiffeId(parsed.id)))
    return false;
  let found = false;
  const fieldSelector = `spec.nodeName=${node}`;
  // Never from a cache that may be behind: a pod that was just bound would be refused for good.
  await listObjects(
    client,
    `/api/v1/namespaces/${namespace}/pods`,
    { fieldSelector, signal },
    {
      begin: () => {
        found = false;
      },
      add: (pod) => {
        const { spec, status } = pod as { spec?: { serviceAccountName?: string }; status?: { phase?: string } };
        const over = status?.phase === 'Succeeded' || status?.phase === 'Failed';
        if (!over && (spec?.serviceAccountName || 'default') === account) found = true;
      },
    },
  );
  return found;
}
