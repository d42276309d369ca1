import type { ApiClient } from '../../src/kubernetes/client.ts';

/** Whose fields they are. */
export const STATUS_MANAGER = 'fairlead-status';

/**
 * Server-side apply as this writer; the object as it is then. Throws E_CLUSTER_* and ApiStatusError, 409 when the object has another
 * `resourceVersion` than the one that is named.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function applyObject(client: ApiClient, path: string, object: object, signal?: AbortSignal): Promise<unknown> {
  const query = new URLSearchParams({ fieldManager: STATUS_MANAGER, force: 'true' });
  return client.request(`${path}?${query}`, {
    method: 'PATCH',
    body: object,
    contentType: 'application/apply-patch+yaml',
    signal,
    timeoutMs: 15_000,
  });
}
