/**
 * Changes to a CA whose keys and state are in a Secret: its directory is a copy, brought up to date before anything is changed, and what was
 * changed counts when the Secret has it. `shared.json` in the directory names the Secret, so that every command does so.
 */
import { join } from 'node:path';
import { FairleadError } from '../../../src/errors.ts';
import { ApiStatusError } from '../../../src/kubernetes/api-error.ts';
import { makeFolder } from '../../make-folder.ts';
import { readTextIfThere, removeLeftovers, unusable, writeText } from '../directory.ts';
import { readFiles, sameFiles, writeFiles } from './files.ts';
import { openStateSecret, type StateSecret } from './state-secret.ts';

/** Where a directory's Secret is. */
export interface SharedPlace {
  namespace: string;
  name: string;
  /** Of the kubeconfig; undefined: the current one, or the pod's own cluster. */
  context: string | undefined;
}

export const MARKER = 'shared.json';

/** Throws E_CA_DIRECTORY. */
export function markShared(directory: string, { namespace, name, context }: SharedPlace): void {
  try {
    makeFolder(directory);
  } catch (error) {
    throw unusable(directory, error);
  }
  writeText(directory, MARKER, `${JSON.stringify({ namespace, name, context })}\n`);
}

/**
 * Runs what changes the CA. Call it with the directory's lock held. Throws E_CA_BUSY when somebody else has changed the CA meanwhile, errors
 * of the cluster, and what `work` throws: nothing is changed then.
 *
 * @param marker what is in `shared.json`
 */
export async function changeShared<T>(directory: string, marker: string, work: () => Promise<T> | T): Promise<T> {
  const place = JSON.parse(marker) as SharedPlace;
  const [{ openKubeConfig }, { createApiClient }] = await Promise.all([
    import('../../../src/kubernetes/kube-config.ts'),
    import('../../../src/kubernetes/client.ts'),
  ]);
  const client = createApiClient(openKubeConfig(place.context));
  try {
    return await changeIn(openStateSecret(client, place.namespace, place.name), directory, work);
  } finally {
    client.close();
  }
}

async function changeIn<T>(secret: StateSecret, directory: string, work: () => Promise<T> | T): Promise<T> {
  const shared = await secret.read();
  // An empty Secret takes what the directory has.
  if (shared.files.has('state.json')) writeFiles(directory, shared.files);
  removeLeftovers(directory);
  const before = readFiles(directory);
  try {
    const result = await work();
    const after = readFiles(directory);
    if (!sameFiles(after, shared.files)) await secret.write(shared, after);
    return result;
  } catch (error) {
    writeFiles(directory, before);
    if (!(error instanceof ApiStatusError) || error.status !== 409) throw error;
    throw new FairleadError('E_CA_BUSY', `somebody else has changed the certificate authority in the Secret ${secret.name} just now`, {
      next: 'Try again: nothing was changed.',
      cause: error,
    });
  }
}

/** The text of `shared.json`; undefined where the directory is all there is. Throws E_CA_DIRECTORY. */
export const markerOf = (directory: string): string | undefined => readTextIfThere(directory, MARKER);

/** The folder that a served CA signs from: what the Secret has, and never a change that it has not yet. */
export const servedFolder = (directory: string): string => join(directory, 'served');
