/** An installation whose CA has its keys in a volume, as older versions had them: they have to be moved before its pods can be several. */
import type { ApiClient } from '../../kubernetes/client.ts';
import { CA_NAME, CA_STATE } from '../objects/names.ts';
import type { Settings } from '../settings/resolve.ts';
import { readObject } from './cluster-api.ts';

/**
 * The settings with which the keys are moved: one pod with that volume, which copies them into the Secret when it begins. undefined when there
 * is nothing to move: no volume, the Secret has keys, or the settings name a volume anyway.
 */
export async function whileKeysMove(client: ApiClient, settings: Settings): Promise<Settings | undefined> {
  const { namespace, revision, ca } = settings;
  if (revision !== '' || ca.storage !== undefined) return undefined;
  const claim = await readObject(client, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: CA_NAME });
  if (claim === undefined) return undefined;
  const secret = await readObject(client, { apiVersion: 'v1', kind: 'Secret', namespace, name: CA_STATE });
  if ((secret?.['data'] as Record<string, string> | undefined)?.['state.json'] !== undefined) return undefined;
  // What it has is not changed: most of a claim cannot be.
  const { resources, storageClassName } = claim['spec'] as { resources?: { requests?: { storage?: string } }; storageClassName?: string };
  const storage = { size: resources?.requests?.storage ?? '1Gi', className: storageClassName };
  return { ...settings, ca: { ...ca, replicas: 1, storage } };
}
