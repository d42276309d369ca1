/** What applying manifests would change, asked of the API server itself: every object is applied as a dry run. */

import { FairleadError, type Problem } from '../../errors.ts';
import { ApiStatusError } from '../../kubernetes/api-error.ts';
import type { ApiClient } from '../../kubernetes/client.ts';
import { CA_STATE } from '../objects/names.ts';
import { type Manifest, type ObjectRef, refKey, refOf, refText } from '../objects/object.ts';
import { applyObject, isOurs, type LiveObject, readObject } from './cluster-api.ts';
import type { Inventory } from './inventory.ts';

/** A field that somebody else has set to another value. */
export interface Conflict {
  manager: string;
  /** `.spec.replicas` */
  field: string;
}

export interface PlannedObject {
  ref: ObjectRef;
  /** `left`: somebody else’s, used as it is; `release`: kept, without the fields that are ours. */
  action: 'create' | 'change' | 'same' | 'left' | 'conflict' | 'delete' | 'release' | 'keep';
  /** Why it is left, kept or released. */
  why?: string;
  /** It is not what was made: nothing is done with it, now or later. */
  uninvolved?: boolean;
  /** Fields that others own; with `--force-conflicts` they are taken, and the action is `change`. */
  conflicts: readonly Conflict[];
  /** Without what the API server adds of itself. */
  before?: object;
  after?: object;
  /** What is applied. */
  manifest?: Manifest;
  uid?: string;
}

export interface Plan {
  namespace: string;
  objects: readonly PlannedObject[];
}

export interface PlanOptions {
  namespace: string;
  force: boolean;
  /** Of the installation as it is; undefined when there is none. */
  inventory: Inventory | undefined;
  /** Of other installations: what they have is not pruned. */
  others: readonly Inventory[];
}

const PARALLEL = 6;

/** Throws E_CLUSTER_*, and E_INSTALL_REFUSED with everything that the API server refuses. */
export async function planInstall(client: ApiClient, manifests: readonly Manifest[], options: PlanOptions): Promise<Plan> {
  const namespaceThere = (await readObject(client, { apiVersion: 'v1', kind: 'Namespace', name: options.namespace })) !== undefined;
  const refused: Problem[] = [];
  const planned = await each(manifests, async (manifest) => {
    try {
      return await planObject(client, manifest, { ...options, namespaceThere });
    } catch (error) {
      if (!(error instanceof ApiStatusError)) throw error;
      refused.push({
        severity: 'error',
        rule: `cluster/${error.reason || error.status}`,
        message: error.message,
        origin: refText(refOf(manifest)),
      });
      return undefined;
    }
  });
  if (refused.length > 0)
    throw new FairleadError(
      'E_INSTALL_REFUSED',
      `the API server of ${client.context} refuses ${refused.length} of ${manifests.length} objects`,
      {
        problems: refused,
        next: 'Nothing was changed. `fairlead manifest generate` prints what would be applied.',
      },
    );
  const wanted = new Set(manifests.map((manifest) => refKey(refOf(manifest))));
  const shared = new Set(options.others.flatMap(({ objects }) => objects.map(refKey)));
  const obsolete = (options.inventory?.objects ?? []).filter((ref) => !wanted.has(refKey(ref)) && !shared.has(refKey(ref)));
  const removed = await each(obsolete.reverse(), (ref) => planRemoval(client, ref));
  return { namespace: options.namespace, objects: [...planned, ...removed].filter((object) => object !== undefined) };
}

async function planObject(
  client: ApiClient,
  manifest: Manifest,
  { force, namespaceThere }: PlanOptions & { namespaceThere: boolean },
): Promise<PlannedObject> {
  const ref = refOf(manifest);
  const base = { ref, manifest, conflicts: [] };
  if (manifest.metadata.namespace !== undefined && !namespaceThere) {
    // It cannot be tried where it is to be: only its form is.
    const elsewhere = { ...manifest, metadata: { ...manifest.metadata, namespace: 'default', name: 'fairlead-dry-run' } };
    await applyObject(client, elsewhere, { dryRun: true, force: true });
    return { ...base, action: 'create', after: manifest };
  }
  const live = await readObject(client, ref);
  if (live !== undefined && manifest.kind === 'CustomResourceDefinition' && !isOurs(live))
    return { ...base, action: 'left', why: definitionOwner(live), before: shown(live), after: shown(live) };
  if (live?.metadata.deletionTimestamp !== undefined)
    throw new FairleadError('E_INSTALL_REFUSED', `${refText(ref)} is being deleted`, { next: 'Wait until it is gone, and try again.' });
  const uid = live?.metadata.uid;
  const more = { ...base, ...(uid === undefined ? {} : { uid }), ...(live === undefined ? {} : { before: shown(live) }) };
  try {
    const after = shown(await applyObject(client, manifest, { dryRun: true, force: false }));
    const same = live !== undefined && JSON.stringify(sorted(shown(live))) === JSON.stringify(sorted(after));
    return { ...more, action: live === undefined ? 'create' : same ? 'same' : 'change', after };
  } catch (error) {
    const conflicts = conflictsOf(error);
    if (conflicts.length === 0) throw error;
    const after = shown(await applyObject(client, manifest, { dryRun: true, force: true }));
    return { ...more, action: force ? 'change' : 'conflict', conflicts, after };
  }
}

/** What becomes of an object that is no longer wanted. */
export async function planRemoval(
  client: ApiClient,
  ref: ObjectRef,
  keep?: (live: LiveObject) => Promise<string | undefined>,
): Promise<PlannedObject | undefined> {
  const live = await readObject(client, ref);
  if (live === undefined) return undefined;
  const { uid } = live.metadata;
  const base = { ref, conflicts: [], before: shown(live), ...(uid === undefined ? {} : { uid }) };
  if (!isOurs(live)) return { ...base, action: 'keep', uninvolved: true, why: 'it was made anew by somebody else', after: shown(live) };
  const why = keep === undefined ? keptInUpgrades(ref) : await keep(live);
  return why === undefined ? { ...base, action: 'delete' } : { ...base, action: 'keep', why, after: shown(live) };
}

function keptInUpgrades({ kind, name }: ObjectRef): string | undefined {
  if (kind === 'CustomResourceDefinition') return 'all objects of its kind would go with it';
  if (kind === 'PersistentVolumeClaim' || (kind === 'Secret' && name === CA_STATE)) return 'the CA’s keys are in it';
  if (kind === 'Namespace') return 'all that is in it would go with it';
  return undefined;
}

/** Manager and field of each conflict: `conflict with "kubectl" using apps/v1`. */
export function conflictsOf(error: unknown): Conflict[] {
  if (!(error instanceof ApiStatusError) || error.status !== 409) return [];
  return error.causes
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ message = '', field = '' }) => ({ manager: /conflict with "([^"]*)"/.exec(message)?.[1] ?? message, field }));
}

function definitionOwner({ metadata }: LiveObject): string {
  const managers = new Set(
    (metadata.managedFields ?? []).filter(({ manager }) => manager !== 'kube-apiserver').map(({ manager }) => manager),
  );
  const of = metadata.labels?.['app.kubernetes.io/part-of'] ?? metadata.labels?.['app'];
  return `there already (${of === undefined ? `made by ${[...managers].join(', ') || 'somebody else'}` : `of ${of}`})`;
}

/** What people compare: without what the API server adds. */
function shown(live: LiveObject): object {
  const { metadata, status: _status, ...rest } = live as LiveObject & { status?: unknown };
  const { managedFields: _m, uid: _u, deletionTimestamp: _d, ...kept } = metadata;
  for (const field of ['resourceVersion', 'generation', 'creationTimestamp', 'selfLink']) delete (kept as Record<string, unknown>)[field];
  return { ...rest, metadata: kept };
}

/** Maps with their keys in order: two answers may have them in different ones. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, sorted(field)]),
  );
}

/** In order, some at once. */
async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i] as T);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return results;
}
