/** CertificateSigningRequests for tests: asking, as whoever a token is of, and waiting for the answer. */
import type { ApiClient } from '../../src/kubernetes/client.ts';
import { generateKey, keyToPem } from '../../src/pki/keys.ts';
import type { SubjectAltName } from '../../src/pki/names.ts';
import { createRequest } from '../../src/pki/request.ts';
import { until } from './cluster-objects.ts';
import { clientOf, type KubeApi, type KubeObject } from './kube-api.ts';

export const SIGNER = 'fairlead.dev/mesh';
export const USAGES = ['digital signature', 'client auth', 'server auth'];
const COLLECTION = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

export const uri = (value: string): SubjectAltName => ({ type: 'uri', value });
/** @param account `NAMESPACE/NAME` */
export const identityOf = (account: string): string => `spiffe://cluster.local/ns/${account.replace('/', '/sa/')}`;

export interface Asked {
  name: string;
  /** PEM. */
  key: string;
}

export interface Wish {
  sans?: readonly SubjectAltName[];
  usages?: readonly string[];
  signerName?: string;
  seconds?: number;
  annotations?: Record<string, string>;
  /** PEM. */
  csr?: string;
}

export async function ask(client: ApiClient, wish: Wish): Promise<Asked> {
  const key = await generateKey('ec-p256');
  const csr = wish.csr ?? createRequest(key, wish.sans ?? []);
  const { metadata } = (await client.request(COLLECTION, {
    method: 'POST',
    body: {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { generateName: 'fairlead-', ...(wish.annotations ? { annotations: wish.annotations } : {}) },
      spec: {
        signerName: wish.signerName ?? SIGNER,
        request: Buffer.from(csr).toString('base64'),
        usages: wish.usages ?? USAGES,
        ...(wish.seconds ? { expirationSeconds: wish.seconds } : {}),
      },
    },
  })) as KubeObject;
  return { name: metadata.name, key: keyToPem(key) };
}

export interface RequestStatus {
  conditions?: { type: string; reason: string; message: string }[];
  certificate?: string;
}

export const statusOf = async (api: KubeApi, name: string): Promise<RequestStatus> =>
  ((await api.admin.request(`${COLLECTION}/${name}`)) as { status?: RequestStatus }).status ?? {};

/** Waits until it is signed, or refused. @param log what the CA has said, for the error */
export async function answered(api: KubeApi, name: string, log: () => string, deadlineMs?: number): Promise<RequestStatus> {
  let status: RequestStatus = {};
  const isAnswered = async (): Promise<boolean> => {
    status = await statusOf(api, name);
    return status.certificate !== undefined || (status.conditions ?? []).some(({ type }) => type !== 'Approved');
  };
  await until(`${name} is answered`, isAnswered, deadlineMs).catch((error: Error) => {
    throw new Error(`${error.message}\n${JSON.stringify(status)}\n${log()}`);
  });
  return status;
}

/** `TYPE REASON` of each. */
export const conditionsOf = ({ conditions = [] }: RequestStatus): string[] => conditions.map(({ type, reason }) => `${type} ${reason}`);

export const chainOf = ({ certificate }: RequestStatus): string => Buffer.from(certificate as string, 'base64').toString('utf8');

/** A token of a service account (`NAMESPACE/NAME`), bound to a pod if one is named. */
export async function accountToken(api: KubeApi, account: string, more: { pod?: KubeObject; audiences?: string[] } = {}): Promise<string> {
  const [namespace, name] = account.split('/');
  const { pod, audiences } = more;
  const boundObjectRef = pod && { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata['uid'] };
  const spec = { ...(boundObjectRef ? { boundObjectRef } : {}), ...(audiences ? { audiences } : {}) };
  const { status } = (await api.admin.request(`/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
    method: 'POST',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec },
  })) as { status: { token: string } };
  return status.token;
}

let people = 0;

/** A client of a service account. */
export async function clientAs(api: KubeApi, account: string, pod?: KubeObject): Promise<ApiClient> {
  return clientOf(api.kubeconfigFor(`who-${people++}`, await accountToken(api, account, pod ? { pod } : {})));
}

/** Service accounts may make such requests. */
export async function allowRequests(api: KubeApi): Promise<void> {
  const rbac = 'rbac.authorization.k8s.io';
  const metadata = { name: 'requester' };
  const rules = [{ apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: ['create'] }];
  await api.create({ apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata, rules });
  await api.create({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata,
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'requester' },
    subjects: [{ kind: 'Group', apiGroup: rbac, name: 'system:serviceaccounts' }],
  });
}
