/** What an installation has made, in a ConfigMap beside it: what upgrades prune by, and all that an uninstall removes. */

import type { ApiClient } from '../../kubernetes/client.ts';
import { listObjects } from '../../kubernetes/list.ts';
import { inventoryName, labelsOf } from '../objects/names.ts';
import { type Manifest, type ObjectRef, refKey } from '../objects/object.ts';
import type { SettingsFile } from '../settings/schema.ts';
import { applyObject, type LiveObject, readObject } from './cluster-api.ts';

export interface Inventory {
  namespace: string;
  /** Empty for the one without a name. */
  revision: string;
  /** Of Fairlead, that made it. */
  version: string;
  settings: SettingsFile;
  objects: readonly ObjectRef[];
  /** It was uninstalled; `objects` is what was kept then. */
  removed?: boolean;
}

const COMPONENT = 'inventory';

export function inventoryManifest({ namespace, revision, version, settings, objects, removed }: Inventory): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: inventoryName({ revision }), namespace, labels: labelsOf(COMPONENT, { revision }, version) },
    data: {
      version,
      revision,
      settings: JSON.stringify(settings),
      objects: objects.map((ref) => JSON.stringify(ref)).join('\n'),
      ...(removed ? { removed: 'true' } : {}),
    },
  };
}

/** undefined for a ConfigMap that is none. */
function inventoryOf({ metadata, data }: LiveObject): Inventory | undefined {
  const { version, revision, settings, objects, removed } = (data ?? {}) as Record<string, string | undefined>;
  if (version === undefined || objects === undefined) return undefined;
  try {
    return {
      namespace: metadata.namespace as string,
      revision: revision ?? '',
      version,
      settings: JSON.parse(settings ?? '{}') as SettingsFile,
      objects: objects
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as ObjectRef),
      removed: removed === 'true',
    };
  } catch {
    return undefined;
  }
}

/** Throws E_CLUSTER_*. */
export async function readInventory(client: ApiClient, namespace: string, revision: string): Promise<Inventory | undefined> {
  const found = await readObject(client, { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: inventoryName({ revision }) });
  return found && inventoryOf(found);
}

/** All installations of a namespace, or of the cluster. */
export async function listInventories(client: ApiClient, namespace?: string): Promise<Inventory[]> {
  const found: Inventory[] = [];
  const path = namespace === undefined ? '/api/v1/configmaps' : `/api/v1/namespaces/${namespace}/configmaps`;
  const labelSelector = `app.kubernetes.io/managed-by=fairlead,app.kubernetes.io/component=${COMPONENT}`;
  await listObjects(
    client,
    path,
    { labelSelector },
    {
      begin: () => {
        found.length = 0;
      },
      add: (object) => {
        const one = inventoryOf(object as unknown as LiveObject);
        if (one) found.push(one);
      },
    },
  );
  return found;
}

/** Our own: nobody else has a say in it. */
export async function writeInventory(client: ApiClient, inventory: Inventory): Promise<void> {
  await applyObject(client, inventoryManifest(inventory), { dryRun: false, force: true });
}

/** Each object once. */
export function unionOf(...lists: readonly (readonly ObjectRef[])[]): ObjectRef[] {
  return [...new Map(lists.flat().map((ref) => [refKey(ref), ref])).values()];
}
