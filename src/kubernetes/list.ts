import { isExpired } from './api-error.ts';
import type { ApiClient } from './client.ts';

/** Objects that an answer may have. */
const PAGE = 1000;

/** What is listed, and the version from which a watch goes on. */
export interface Listed {
  readonly resourceVersion: string;
}

interface ListAnswer {
  metadata?: { resourceVersion?: string; continue?: string };
  items?: Record<string, unknown>[];
}

/** A list that takes longer than its continuation is kept begins anew, that often. */
const ATTEMPTS = 3;

/**
 * Lists a collection page by page. `begin` is called before the first page, also when it must begin anew. Throws E_CLUSTER_UNREACHABLE,
 * E_CLUSTER_UNAUTHORIZED, E_CLUSTER_FORBIDDEN and ApiStatusError.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
export async function listObjects(
  client: ApiClient,
  path: string,
  options: { fieldSelector?: string | undefined; labelSelector?: string | undefined; signal?: AbortSignal | undefined },
  into: { begin(): void; add(object: Record<string, unknown>): void },
): Promise<Listed> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(client, path, options, into);
    } catch (error) {
      if (attempt === ATTEMPTS || !isExpired(error)) throw error;
    }
  }
}

async function once(...[client, path, options, into]: Parameters<typeof listObjects>): Promise<Listed> {
  into.begin();
  let more = '';
  for (;;) {
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (options.fieldSelector) query.set('fieldSelector', options.fieldSelector);
    if (options.labelSelector) query.set('labelSelector', options.labelSelector);
    if (more !== '') query.set('continue', more);
    const { metadata = {}, items = [] } = (await client.request(`${path}?${query}`, { signal: options.signal })) as ListAnswer;
    for (const item of items) into.add(item);
    more = metadata.continue ?? '';
    if (more === '') return { resourceVersion: metadata.resourceVersion ?? '' };
  }
}
