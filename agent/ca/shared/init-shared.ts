/** Begins a CA whose keys and state are in a Secret: with what is there, with what the directory has already, or anew. */
import { FairleadError } from '../../../src/errors.ts';
import { ApiStatusError } from '../../../src/kubernetes/api-error.ts';
import type { ApiClient } from '../../../src/kubernetes/client.ts';
import { hasCa, readStateIfThere } from '../directory.ts';
import { type InitOptions, initCa } from '../init.ts';
import { withLock } from '../with-lock.ts';
import { markShared, type SharedPlace } from './change.ts';
import { openStateSecret } from './state-secret.ts';

/** What was done: `found` it was in the Secret, `moved` it was in the directory, `made` anew. */
export type Begun = 'found' | 'moved' | 'made';

export interface SharedInit extends InitOptions {
  client: ApiClient;
  place: SharedPlace;
  /** The ConfigMap with the roots: where it has some, there is a CA already, and a new one would be another. */
  roots: { namespace: string; name: string } | undefined;
  /** Be content with the one that is in the Secret. */
  ifMissing: boolean;
}

/** Several may do so at once: one makes it, and the others find it. Throws E_CA_MISSING for a CA whose keys are elsewhere, E_CA_DIRECTORY, errors of the cluster. */
export async function initShared(directory: string, { client, place, roots, ifMissing, ...options }: SharedInit): Promise<Begun> {
  const secret = openStateSecret(client, place.namespace, place.name);
  const isThere = async (): Promise<boolean> => (await secret.read()).files.has('state.json');
  const found = await isThere();
  if (found && !ifMissing)
    throw new FairleadError(
      'E_CA_EXISTS',
      `there is a certificate authority in the Secret ${secret.name} already; it is never overwritten`,
      {
        next: 'Replace its root with `fairlead ca rotate`, or name another Secret.',
      },
    );
  if (!found && !hasCa(directory)) await refuseSecond(client, roots, secret.name);
  const before = found ? undefined : readStateIfThere(directory);
  markShared(directory, place);
  try {
    if (found || before) await withLock(directory, () => undefined);
    else await initCa(directory, options);
    return found ? 'found' : before ? 'moved' : 'made';
  } catch (error) {
    // Another pod was faster, before this one had begun to write (E_CA_EXISTS) or after that (E_CA_BUSY).
    const late = error instanceof FairleadError && (error.code === 'E_CA_BUSY' || error.code === 'E_CA_EXISTS');
    if (!late || !ifMissing || !(await isThere())) throw error;
    await withLock(directory, () => undefined);
    return 'found';
  }
}

async function refuseSecond(client: ApiClient, roots: SharedInit['roots'], secret: string): Promise<void> {
  if (roots === undefined) return;
  const { namespace, name } = roots;
  const object = await client.request(`/api/v1/namespaces/${namespace}/configmaps/${name}`).catch((error: unknown) => {
    if (error instanceof ApiStatusError && error.status === 404) return {};
    throw error;
  });
  const { data } = object as { data?: Record<string, string> };
  if (!data?.['root-cert.pem']) return;
  throw new FairleadError(
    'E_CA_MISSING',
    `there is a certificate authority whose roots are in the ConfigMap ${namespace}/${name}, and its keys are not in the Secret ${secret}`,
    {
      next: 'Bring its keys there: docs/certificates.md says how they are moved from a volume. To begin with another one nevertheless, empty that ConfigMap.',
    },
  );
}
