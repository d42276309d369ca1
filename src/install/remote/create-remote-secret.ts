/** Makes what another cluster's agents need to read this one: a service account, its permissions, and a token. */
import type { RequestOptions } from 'node:https';
import { FairleadError } from '../../errors.ts';
import { pause } from '../../kubernetes/back-off.ts';
import type { ApiClient } from '../../kubernetes/client.ts';
import type { ClusterAccess } from '../../kubernetes/kube-config.ts';
import { applyObject, collectionOf, readObject, unlessMissing } from '../live/cluster-api.ts';
import type { Manifest } from '../objects/object.ts';
import { REMOTE_READER, remoteReaderObjects, remoteSecret } from './remote-reader.ts';

export interface RemoteSecretOptions {
  client: ApiClient;
  access: ClusterAccess;
  /** What the cluster is called elsewhere; undefined: the UID of its namespace kube-system, as istioctl has it. */
  name: string | undefined;
  /** Its API server's address for others; undefined: the kubeconfig's. */
  server: string | undefined;
  istioNamespace: string;
  /** One that is there; undefined: one is made, with the permissions that it needs. */
  account: { namespace: string; name: string } | undefined;
  /** How long the token is to live; undefined: until its Secret or service account is deleted. */
  lifeMs: number | undefined;
  /** How long to wait for a token that does not end. */
  patienceMs: number;
  /** What was done, a sentence each. */
  say(text: string): void;
}

const POLL_MS = 200;

/** The Secret for the other clusters. Throws E_CLUSTER_*, E_REMOTE_SECRET, ApiStatusError. */
export async function createRemoteSecret(options: RemoteSecretOptions): Promise<Manifest> {
  const { client, access, istioNamespace, account, lifeMs, say } = options;
  const cluster = options.name ?? (await clusterUid(client));
  if (account === undefined) await makeReader(client, istioNamespace, say);
  const of = account ?? { namespace: istioNamespace, name: REMOTE_READER };
  const { token, ca } = lifeMs === undefined ? await lastingToken(options, of) : await endingToken(options, of, lifeMs);
  return remoteSecret({
    cluster,
    namespace: istioNamespace,
    server: options.server ?? access.server,
    ca: ca ?? (await trustOf(access)),
    token,
  });
}

async function clusterUid(client: ApiClient): Promise<string> {
  const namespace = await readObject(client, { apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' });
  const { uid } = namespace?.metadata ?? {};
  if (uid) return uid;
  throw new FairleadError('E_REMOTE_SECRET', `the cluster ${client.context} has no namespace kube-system to be named after`, {
    next: 'Give it a name with --name.',
  });
}

async function makeReader(client: ApiClient, namespace: string, say: (text: string) => void): Promise<void> {
  const ref = { apiVersion: 'v1', kind: 'Namespace', name: namespace };
  if ((await readObject(client, ref)) === undefined) {
    await applyObject(client, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { dryRun: false, force: false });
    say(`made the namespace ${namespace}`);
  }
  for (const object of remoteReaderObjects(namespace)) {
    await applyObject(client, object, { dryRun: false, force: false });
    say(`applied ${object.kind} ${object.metadata.namespace ? `${object.metadata.namespace}/` : ''}${object.metadata.name}`);
  }
}

/** https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/ */
async function endingToken(
  { client, say }: RemoteSecretOptions,
  { namespace, name }: { namespace: string; name: string },
  lifeMs: number,
): Promise<{ token: string; ca: undefined }> {
  const path = `${collectionOf({ apiVersion: 'v1', kind: 'ServiceAccount', namespace })}/${encodeURIComponent(name)}/token`;
  const seconds = Math.round(lifeMs / 1000);
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: seconds } };
  const answer = (await unlessMissing(client.request(path, { method: 'POST', body }))) as
    | { status: { token: string; expirationTimestamp: string } }
    | undefined;
  if (answer === undefined) throw noAccount(client, namespace, name);
  const { token, expirationTimestamp } = answer.status;
  const shorter =
    Date.parse(expirationTimestamp) < Date.now() + lifeMs - 60_000 ? ', sooner than asked: the API server allows no more' : '';
  say(
    `the token of ${namespace}/${name} ends at ${expirationTimestamp}${shorter}; make and apply the Secret anew before, agents take it at once`,
  );
  return { token, ca: undefined };
}

/** A Secret that Kubernetes itself fills. https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets */
async function lastingToken(
  { client, patienceMs, say }: RemoteSecretOptions,
  { namespace, name: account }: { namespace: string; name: string },
): Promise<{ token: string; ca: string | undefined }> {
  if ((await readObject(client, { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name: account })) === undefined)
    throw noAccount(client, namespace, account);
  const name = `${account}-remote-token`;
  const ref = { apiVersion: 'v1', kind: 'Secret', namespace, name };
  const metadata = { name, namespace, annotations: { 'kubernetes.io/service-account.name': account } };
  await applyObject(
    client,
    { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/service-account-token' },
    { dryRun: false, force: false },
  );
  for (const deadline = Date.now() + patienceMs; ; await pause(POLL_MS, new AbortController().signal)) {
    const { data = {} } = ((await readObject(client, ref)) ?? {}) as { data?: Record<string, string> };
    if (data['token']) {
      say(`the token does not end; delete the Secret ${namespace}/${name} in ${client.context} to take it back`);
      return { token: Buffer.from(data['token'], 'base64').toString('utf8'), ca: data['ca.crt'] };
    }
    if (Date.now() < deadline) continue;
    throw new FairleadError(
      'E_REMOTE_SECRET',
      `the cluster ${client.context} has made no token in ${patienceMs / 1000} s: the Secret ${namespace}/${name} stays empty`,
      {
        next: 'Its controller manager fills it. Ask for a token that ends, which needs none: --expires-in 720h.',
      },
    );
  }
}

function noAccount({ context }: ApiClient, namespace: string, name: string): FairleadError {
  return new FairleadError('E_REMOTE_SECRET', `there is no ServiceAccount ${namespace}/${name} in ${context}`, {
    next: 'Name one that is there with --service-account NAMESPACE/NAME, or none: one is made then.',
  });
}

/** The authority that the kubeconfig trusts, base64 of PEM. */
async function trustOf(access: ClusterAccess): Promise<string | undefined> {
  const options: RequestOptions = {};
  await access.authorize(options);
  const ca = options.ca as string | Buffer | undefined;
  return ca === undefined ? undefined : Buffer.from(ca).toString('base64');
}

/** True when others are not likely to reach a server by this address. */
export function isForSelfOnly(server: string): boolean {
  const { hostname } = new URL(server);
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}
