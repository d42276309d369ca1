/** Keeps the CA's roots in the webhook configurations, by which the API server knows the server of webhooks. */
import { ApiStatusError, isForbidden } from '../../kubernetes/api-error.ts';
import type { ApiClient } from '../../kubernetes/client.ts';
import { listTags } from '../tags/live-tags.ts';
import { tagName } from '../tags/tag-objects.ts';

export interface WebhookConfigurations {
  mutating: readonly string[];
  validating: readonly string[];
  /** Whose revision tags have them as well: whichever there are, each time. */
  tagsOf?: { revision: string; namespace: string };
}

/** Its own field manager: whoever applies the configurations leaves the bundle alone, as long as it does not name it. */
export const BUNDLE_MANAGER = 'fairlead-webhook';

const GROUP = 'admissionregistration.k8s.io/v1';

interface Configuration {
  kind: string;
  webhooks?: { name: string; clientConfig?: { caBundle?: string } }[];
}

type Kind = 'MutatingWebhookConfiguration' | 'ValidatingWebhookConfiguration';

/** What could not be written, and is no failure of those that could: names of configurations that are not there, and of tags that may not be changed. */
export interface PublishedBundle {
  missing: string[];
  denied: string[];
}

/** Throws E_CLUSTER_*, ApiStatusError. */
export async function publishBundle(
  client: ApiClient,
  roots: string,
  { mutating, validating, tagsOf }: WebhookConfigurations,
  signal?: AbortSignal,
): Promise<PublishedBundle> {
  const caBundle = Buffer.from(roots).toString('base64');
  const published: PublishedBundle = { missing: [], denied: [] };
  const write = async (kind: Kind, name: string): Promise<void> => {
    if (!(await publishTo(client, kind, name, caBundle, signal))) published.missing.push(`${kind} ${name}`);
  };
  for (const name of mutating) await write('MutatingWebhookConfiguration', name);
  for (const name of validating) await write('ValidatingWebhookConfiguration', name);
  if (tagsOf === undefined) return published;
  try {
    for (const { tag, revision, namespace } of await listTags(client)) {
      if (revision !== tagsOf.revision || (namespace !== '' && namespace !== tagsOf.namespace)) continue;
      try {
        await write('MutatingWebhookConfiguration', tagName(tag));
      } catch (error) {
        // A tag must not keep the other configurations, and certificates, from being renewed.
        if (!isForbidden(error)) throw error;
        published.denied.push(`MutatingWebhookConfiguration ${tagName(tag)}`);
      }
    }
  } catch (error) {
    if (!isForbidden(error)) throw error;
    published.denied.push('the list of MutatingWebhookConfigurations, for revision tags');
  }
  return published;
}

/** False when it is not there. */
async function publishTo(client: ApiClient, kind: Kind, name: string, caBundle: string, signal: AbortSignal | undefined): Promise<boolean> {
  const path = `/apis/${GROUP}/${kind.toLowerCase()}s/${name}`;
  const found = (await client.request(path, { signal }).catch((error: unknown) => {
    if (error instanceof ApiStatusError && error.status === 404) return undefined;
    throw error;
  })) as Configuration | undefined;
  if (found === undefined) return false;
  const webhooks = found.webhooks ?? [];
  if (webhooks.every(({ clientConfig }) => clientConfig?.caBundle === caBundle)) return true;
  const body = {
    apiVersion: GROUP,
    kind,
    metadata: { name },
    webhooks: webhooks.map((w) => ({ name: w.name, clientConfig: { caBundle } })),
  };
  const query = new URLSearchParams({ fieldManager: BUNDLE_MANAGER, force: 'true' });
  await client.request(`${path}?${query}`, { method: 'PATCH', body, contentType: 'application/apply-patch+yaml', signal });
  return true;
}
