/** Single objects of a cluster: read, applied by the server, deleted. */
import { ApiStatusError } from '../../kubernetes/api-error.ts';
import type { ApiClient } from '../../kubernetes/client.ts';
import type { Manifest, ObjectRef } from '../objects/object.ts';

/** Whose fields they are: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
export const FIELD_MANAGER = 'fairlead';

/** An object as an API server gives it. */
export type LiveObject = Manifest & {
  metadata: Manifest['metadata'] & {
    uid?: string;
    deletionTimestamp?: string;
    ownerReferences?: unknown[];
    managedFields?: { manager?: string; operation?: string }[];
  };
};

/** Kinds without a namespace, of those that installations have. */
const CLUSTER_KINDS = new Set([
  ...['Namespace', 'CustomResourceDefinition', 'ClusterRole', 'ClusterRoleBinding'],
  ...['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'],
]);

/** The path of an object's collection, by the rules of English that Kubernetes' plurals follow. */
export function collectionOf({ apiVersion, kind, namespace }: Omit<ObjectRef, 'name'>): string {
  const plural = kind
    .toLowerCase()
    .replace(/([^aeiou])y$/, '$1ie')
    .replace(/(s|x|ch)$/, '$1e');
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const inside = namespace === undefined || CLUSTER_KINDS.has(kind) ? '' : `/namespaces/${namespace}`;
  return `${root}${inside}/${plural}s`;
}

export const pathOf = (ref: ObjectRef): string => `${collectionOf(ref)}/${encodeURIComponent(ref.name)}`;

/** undefined when it is not there. Throws E_CLUSTER_*, ApiStatusError. */
export function readObject(client: ApiClient, ref: ObjectRef): Promise<LiveObject | undefined> {
  return unlessMissing(client.request(pathOf(ref)) as Promise<LiveObject>);
}

/** undefined for what is not there. */
export async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiStatusError && error.status === 404) return undefined;
    throw error;
  }
}

export interface ApplyOptions {
  /** Only says what would become of it. */
  dryRun: boolean;
  /** Takes fields from other managers. */
  force: boolean;
}

/** Server-side apply. The object as it is then. Throws E_CLUSTER_*, ApiStatusError (409 `Conflict` names managers and fields). */
export function applyObject(client: ApiClient, object: Manifest, { dryRun, force }: ApplyOptions): Promise<LiveObject> {
  const { apiVersion, kind, metadata } = object;
  const query = new URLSearchParams({ fieldManager: FIELD_MANAGER, force: String(force), fieldValidation: 'Strict' });
  if (dryRun) query.set('dryRun', 'All');
  const path = pathOf({ apiVersion, kind, name: metadata.name, namespace: metadata.namespace });
  return client.request(`${path}?${query}`, {
    method: 'PATCH',
    body: object,
    contentType: 'application/apply-patch+yaml',
  }) as Promise<LiveObject>;
}

/** Deletes an object, provided that it is still the one that was looked at. What it owns goes after it. */
export async function deleteObject(client: ApiClient, ref: ObjectRef, uid: string | undefined): Promise<void> {
  const preconditions = uid === undefined ? {} : { preconditions: { uid } };
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', ...preconditions };
  await unlessMissing(client.request(pathOf(ref), { method: 'DELETE', body }));
}

/** Whether Fairlead has applied it, ever. */
export const isOurs = ({ metadata }: LiveObject): boolean =>
  metadata.managedFields?.some(({ manager, operation }) => manager === FIELD_MANAGER && operation === 'Apply') ?? false;
