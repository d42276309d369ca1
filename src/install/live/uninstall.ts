/** Takes an installation away: what its inventory names, and nothing else. */

import type { ApiClient } from '../../kubernetes/client.ts';
import { listObjects } from '../../kubernetes/list.ts';
import { CA_STATE, inventoryName } from '../objects/names.ts';
import { type ObjectRef, refKey } from '../objects/object.ts';
import { applyObject, deleteObject, type LiveObject, readObject, unlessMissing } from './cluster-api.ts';
import { type Inventory, writeInventory } from './inventory.ts';
import { type Plan, type PlannedObject, planRemoval } from './plan.ts';

export interface UninstallOptions {
  /** The definitions, the volume with the CA’s keys and the namespace too. */
  purge: boolean;
  /** Definitions even when there are objects of their kinds. */
  purgeObjects: boolean;
  /** Other installations of the cluster: what they have stays. */
  others: readonly Inventory[];
}

/** Throws E_CLUSTER_*. */
export async function planUninstall(client: ApiClient, inventory: Inventory, options: UninstallOptions): Promise<Plan> {
  const shared = new Set(options.others.flatMap(({ objects }) => objects.map(refKey)));
  const mine = inventory.objects.filter((ref) => !shared.has(refKey(ref)));
  const objects: PlannedObject[] = [];
  // What others need goes last.
  for (const ref of [...mine].reverse()) {
    const planned = await planRemoval(client, ref, (live) => keptBecause(client, live, ref, options));
    if (planned !== undefined) objects.push(planned);
  }
  const self: ObjectRef = { apiVersion: 'v1', kind: 'ConfigMap', namespace: inventory.namespace, name: inventoryName(inventory) };
  const own = keptOf(objects).length > 0 ? undefined : await planRemoval(client, self, async () => undefined);
  if (own !== undefined) objects.push(own);
  const plan = { namespace: inventory.namespace, objects };
  const namespace = objects.find(({ ref }) => ref.kind === 'Namespace');
  if (namespace?.action !== 'delete') return plan;
  if (own === undefined)
    return {
      ...plan,
      objects: objects.map((o) => (o === namespace ? { ...o, action: 'keep', why: 'the inventory of what is kept is in it' } : o)),
    };
  // Whatever is left in it would go with it.
  const strangers = await strangersIn(
    client,
    inventory.namespace,
    new Set(objects.filter(({ action }) => action === 'delete').map(({ ref }) => refKey(ref))),
  );
  const rest = objects.filter((object) => object !== namespace);
  if (strangers.length === 0) return { ...plan, objects: [...rest, namespace] };
  const some = strangers.slice(0, 3).join(', ');
  const why = `there are other objects in it: ${some}${strangers.length > 3 ? `, and ${strangers.length - 3} more` : ''}`;
  return { ...plan, objects: [...rest, { ...namespace, action: 'release', why }] };
}

async function keptBecause(
  client: ApiClient,
  live: LiveObject,
  ref: ObjectRef,
  { purge, purgeObjects }: UninstallOptions,
): Promise<string | undefined> {
  const hasKeys = ref.kind === 'PersistentVolumeClaim' || (ref.kind === 'Secret' && ref.name === CA_STATE);
  if (!hasKeys && !['CustomResourceDefinition', 'Namespace'].includes(ref.kind)) return undefined;
  if (!purge) return hasKeys ? 'the CA’s keys are in it; --purge removes it' : '--purge removes it';
  if (ref.kind !== 'CustomResourceDefinition' || purgeObjects) return undefined;
  const { group, names, versions } = live['spec'] as {
    group: string;
    names: { plural: string };
    versions: { name: string; served: boolean }[];
  };
  const version = versions.find(({ served }) => served)?.name;
  let count = 0;
  if (version !== undefined) {
    const into = {
      begin: () => {
        count = 0;
      },
      add: () => {
        count++;
      },
    };
    await unlessMissing(listObjects(client, `/apis/${group}/${version}/${names.plural}`, {}, into));
  }
  return count === 0 ? undefined : `${count} ${count === 1 ? 'object' : 'objects'} would go with it; --purge-objects removes them too`;
}

/** What stays, and can be purged later. */
const keptOf = (objects: readonly PlannedObject[]): ObjectRef[] =>
  objects.filter(({ action, uninvolved }) => action === 'keep' && !uninvolved).map(({ ref }) => ref);

/** Carries it out; the namespace last. What is kept stays in the inventory, for a later purge. Throws E_CLUSTER_*. */
export async function executeUninstall(
  client: ApiClient,
  inventory: Inventory,
  plan: Plan,
  progress: (object: PlannedObject) => void,
): Promise<void> {
  const kept = keptOf(plan.objects);
  for (const object of plan.objects) {
    if (object.action === 'delete') await deleteObject(client, object.ref, object.uid);
    // Applying nothing gives up the fields that are ours.
    else if (object.action === 'release') {
      const { apiVersion, kind, name } = object.ref;
      await applyObject(client, { apiVersion, kind, metadata: { name } }, { dryRun: false, force: true });
    } else continue;
    progress(object);
  }
  if (kept.length > 0) await writeInventory(client, { ...inventory, objects: [...kept].reverse(), removed: true });
}

/** Every namespace has these of itself. */
const OWN_OF_NAMESPACES = new Set(['ConfigMap kube-root-ca.crt', 'ConfigMap istio-ca-root-cert', 'ServiceAccount default']);
/** They come and go by themselves. */
const PASSING = new Set(['events', 'leases', 'endpoints', 'podmetrics']);

interface ResourceList {
  resources?: { name: string; kind: string; namespaced: boolean; verbs: string[] }[];
}

/** Objects of a namespace that nobody owns and that are not `going`: `ConfigMap notes`. */
async function strangersIn(client: ApiClient, namespace: string, going: ReadonlySet<string>): Promise<string[]> {
  if ((await readObject(client, { apiVersion: 'v1', kind: 'Namespace', name: namespace })) === undefined) return [];
  const { groups = [] } = (await client.request('/apis')) as { groups?: { preferredVersion: { groupVersion: string } }[] };
  const found: string[] = [];
  for (const groupVersion of ['v1', ...groups.map((g) => g.preferredVersion.groupVersion)]) {
    const root = groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`;
    const { resources = [] } = ((await unlessMissing(client.request(root))) ?? {}) as ResourceList;
    for (const { name, kind, namespaced, verbs } of resources) {
      if (!namespaced || name.includes('/') || PASSING.has(name) || !verbs.includes('list') || !verbs.includes('delete')) continue;
      const add = (object: Record<string, unknown>): void => {
        const { metadata } = object as unknown as LiveObject;
        const ref = { apiVersion: groupVersion, kind, namespace, name: metadata.name };
        // What is owned goes with its owner; what is going needs nobody.
        const owned = (metadata.ownerReferences ?? []).length > 0 || metadata.deletionTimestamp !== undefined;
        if (!owned && !going.has(refKey(ref)) && !OWN_OF_NAMESPACES.has(`${kind} ${metadata.name}`)) found.push(`${kind} ${metadata.name}`);
      };
      await unlessMissing(listObjects(client, `${root}/namespaces/${namespace}/${name}`, {}, { begin: () => undefined, add }));
    }
  }
  return [...new Set(found)];
}
