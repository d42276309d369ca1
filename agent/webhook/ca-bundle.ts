/** Keeps the CA's roots in the webhook configurations, by which the API server knows the server of webhooks. */
import { ApiStatusError } from '../../src/kubernetes/api-error.ts';
import type { ApiClient } from '../../src/kubernetes/client.ts';

export interface WebhookConfigurations {
  mutating: readonly string[];
  validating: readonly string[];
}

/** Its own field manager: whoever applies the configurations leaves the bundle alone, as long as it does not name it. */
export const BUNDLE_MANAGER = 'fairlead-webhook';

const GROUP = 'admissionregistration.k8s.io/v1';

interface Configuration {
  kind: string;
  webhooks?: { name: string; clientConfig?: { caBundle?: string } }[];
}

/** @returns names of configurations that are not there, which is no failure. Throws E_CLUSTER_*, ApiStatusError. */
export async function publishBundle(
  client: ApiClient,
  roots: string,
  names: WebhookConfigurations,
  signal: AbortSignal,
): Promise<string[]> {
  const caBundle = Buffer.from(roots).toString('base64');
  const missing: string[] = [];
  const all = [
    ...names.mutating.map((name) => ({ kind: 'MutatingWebhookConfiguration', name })),
    ...names.validating.map((name) => ({ kind: 'ValidatingWebhookConfiguration', name })),
  ];
  for (const { kind, name } of all) {
    const path = `/apis/${GROUP}/${kind.toLowerCase()}s/${name}`;
    const found = (await client.request(path, { signal }).catch((error: unknown) => {
      if (error instanceof ApiStatusError && error.status === 404) return undefined;
      throw error;
    })) as Configuration | undefined;
    if (found === undefined) missing.push(`${kind} ${name}`);
    const webhooks = found?.webhooks ?? [];
    if (webhooks.every(({ clientConfig }) => clientConfig?.caBundle === caBundle)) continue;
    const body = {
      apiVersion: GROUP,
      kind,
      metadata: { name },
      webhooks: webhooks.map((w) => ({ name: w.name, clientConfig: { caBundle } })),
    };
    const query = new URLSearchParams({ fieldManager: BUNDLE_MANAGER, force: 'true' });
    await client.request(`${path}?${query}`, { method: 'PATCH', body, contentType: 'application/apply-patch+yaml', signal });
  }
  return missing;
}
