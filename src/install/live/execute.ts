/** Carries a plan out, object by object, in its order. */

import { FairleadError } from '../../errors.ts';
import type { ApiClient } from '../../kubernetes/client.ts';
import { refOf, refText } from '../objects/object.ts';
import type { SettingsFile } from '../settings/schema.ts';
import { applyObject, deleteObject } from './cluster-api.ts';
import { type Inventory, unionOf, writeInventory } from './inventory.ts';
import { conflictsOf, type Plan, type PlannedObject } from './plan.ts';

export interface ExecuteOptions {
  revision: string;
  version: string;
  settings: SettingsFile;
  inventory: Inventory | undefined;
  force: boolean;
  /** Told after each object that was changed. */
  progress(object: PlannedObject): void;
}

/**
 * Applies what is new or changed, removes what is no longer wanted, and notes it all in the inventory: before the first change with everything that
 * may come to be, so that an installation that is cut short can be removed or done again. Throws E_CLUSTER_*, E_INSTALL_CONFLICT.
 */
export async function executePlan(client: ApiClient, plan: Plan, options: ExecuteOptions): Promise<Inventory> {
  refuseConflicts(plan);
  const { revision, version, settings, inventory } = options;
  const applied = plan.objects.filter(({ action }) => ['create', 'change', 'same'].includes(action));
  const kept = plan.objects.filter(({ action, manifest, uninvolved }) => action === 'keep' && manifest === undefined && !uninvolved);
  const wanted = applied.map(({ ref }) => ref);
  const noted = (objects: Inventory['objects']): Inventory => ({ namespace: plan.namespace, revision, version, settings, objects });
  const [first, ...rest] = applied;
  // Nothing can be noted where there is no namespace yet.
  if (first?.ref.kind === 'Namespace') await applyOne(client, first, options);
  await writeInventory(client, noted(unionOf(inventory?.objects ?? [], wanted)));
  for (const object of first?.ref.kind === 'Namespace' ? rest : applied) await applyOne(client, object, options);
  for (const object of plan.objects.filter(({ action }) => action === 'delete')) {
    await deleteObject(client, object.ref, object.uid);
    options.progress(object);
  }
  // What is kept although it is no longer wanted is still ours to remove.
  const done = noted(
    unionOf(
      wanted,
      kept.map(({ ref }) => ref),
    ),
  );
  await writeInventory(client, done);
  return done;
}

async function applyOne(client: ApiClient, object: PlannedObject, { force, progress }: ExecuteOptions): Promise<void> {
  if (object.action === 'same' || object.manifest === undefined) return;
  try {
    await applyObject(client, object.manifest, { dryRun: false, force });
  } catch (error) {
    // It came up since the plan was made.
    const conflicts = conflictsOf(error);
    if (conflicts.length === 0) throw error;
    throw conflictError([{ ...object, conflicts }]);
  }
  progress(object);
}

/** Throws E_INSTALL_CONFLICT. */
export function refuseConflicts({ objects }: Plan): void {
  const conflicting = objects.filter(({ action }) => action === 'conflict');
  if (conflicting.length > 0) throw conflictError(conflicting);
}

function conflictError(objects: readonly PlannedObject[]): FairleadError {
  const problems = objects.flatMap(({ ref, manifest, conflicts }) =>
    conflicts.map(({ manager, field }) => ({
      severity: 'error' as const,
      rule: 'cluster/conflict',
      message: `${manager} has set ${field}`,
      origin: refText(manifest === undefined ? ref : refOf(manifest)),
    })),
  );
  return new FairleadError('E_INSTALL_CONFLICT', 'others have set fields that the installation sets to something else', {
    problems,
    next: 'Take them out of what the others apply, or take the fields over with --force-conflicts.',
  });
}
