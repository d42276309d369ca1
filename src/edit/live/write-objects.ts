/**
 * Writes changes of objects into a cluster: as small JSON patches that hold for one version of the object only.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { FairleadError } from '../../errors.ts';
import { jsonPatch, type PatchOperation } from '../../install/inject/json-patch.ts';
import { collectionOf, type LiveObject, pathOf, readObject } from '../../install/live/cluster-api.ts';
import { type ObjectRef, refText } from '../../install/objects/object.ts';
import { ApiStatusError } from '../../kubernetes/api-error.ts';
import type { ApiClient } from '../../kubernetes/client.ts';
import { isEqual } from '../equal.ts';
import type { ObjectChange } from './object-draft.ts';

/** Whose changes of routes they are, among an object's managed fields. */
export const ROUTE_MANAGER = 'fairlead-route';

/** An object before and after; undefined: it is not there. */
export interface WrittenObject {
  ref: ObjectRef;
  before: LiveObject | undefined;
  after: LiveObject | undefined;
}

/**
 * Carries changes out, one after the other; with `dryRun` the API server only says what would become of them. An object whose spec is not the one
 * that the change was made of is left alone. Throws E_OBJECT_CHANGED, E_EDIT_REFUSED, E_CLUSTER_*.
 */
export async function writeObjects(client: ApiClient, changes: readonly ObjectChange[], dryRun: boolean): Promise<WrittenObject[]> {
  const done: WrittenObject[] = [];
  for (const change of changes) {
    try {
      done.push({ ref: change.ref, ...(await writeObject(client, change, dryRun)) });
    } catch (error) {
      const before = dryRun ? [] : done.map(({ ref }) => refText(ref));
      if (before.length === 0 || !(error instanceof FairleadError)) throw error;
      const next = `${error.next ?? ''} These were written before: ${before.join(', ')}.`.trim();
      throw new FairleadError(error.code, error.message, { problems: error.problems, next, cause: error });
    }
  }
  return done;
}

function writeObject(client: ApiClient, { ref, before, after }: ObjectChange, dryRun: boolean): Promise<Omit<WrittenObject, 'ref'>> {
  if (before === undefined) return createObject(client, ref, after as object, dryRun);
  const spec = before.value['spec'] ?? {};
  const unchanged = (live: LiveObject): void => {
    if (!isEqual(live['spec'] ?? {}, spec)) throw changedMeanwhile(ref, live);
  };
  if (after === undefined) return removeObject(client, ref, unchanged, dryRun);
  return patchObject(client, ref, dryRun, (live) => {
    unchanged(live);
    return jsonPatch(spec, after['spec'], '/spec');
  });
}

/** Written and read at once, others are as fast: more often than that somebody is at it all the time. */
const TRIES = 5;
const PAUSE_MS = 50;

/**
 * Patches an object for as long as it is the one that was read: whoever is faster makes the API server answer 409, and it is read anew.
 *
 * @param operations what to do to it; asked again for each version of it, may throw, and has nothing to do when there are none
 */
export async function patchObject(
  client: ApiClient,
  ref: ObjectRef,
  dryRun: boolean,
  operations: (live: LiveObject) => readonly PatchOperation[],
): Promise<{ before: LiveObject; after: LiveObject }> {
  for (let left = TRIES; ; left--) {
    const live = await present(client, ref);
    const own = operations(live);
    if (own.length === 0) return { before: live, after: live };
    // Not a test operation, whose failure is a wrong request (422): the version that the object is to follow, whose failure is a conflict (409).
    const version: PatchOperation = { op: 'replace', path: '/metadata/resourceVersion', value: versionOf(live) };
    try {
      const body = [version, ...own];
      const path = `${pathOf(ref)}?${query(dryRun)}`;
      const after = await client.request(path, { method: 'PATCH', body, contentType: 'application/json-patch+json' });
      return { before: live, after: after as LiveObject };
    } catch (error) {
      if (!isConflict(error)) throw refused(ref, error);
      if (left <= 1) throw changedMeanwhile(ref, live);
      await sleep(PAUSE_MS * Math.random());
    }
  }
}

async function createObject(client: ApiClient, ref: ObjectRef, object: object, dryRun: boolean): Promise<Omit<WrittenObject, 'ref'>> {
  try {
    const after = await client.request(`${collectionOf(ref)}?${query(dryRun)}`, { method: 'POST', body: object });
    return { before: undefined, after: after as LiveObject };
  } catch (error) {
    if (error instanceof ApiStatusError && error.reason === 'AlreadyExists') throw changedMeanwhile(ref, undefined, 'was made');
    throw refused(ref, error);
  }
}

async function removeObject(
  client: ApiClient,
  ref: ObjectRef,
  unchanged: (live: LiveObject) => void,
  dryRun: boolean,
): Promise<Omit<WrittenObject, 'ref'>> {
  for (let left = TRIES; ; left--) {
    const live = await present(client, ref);
    unchanged(live);
    const body = {
      ...{ apiVersion: 'v1', kind: 'DeleteOptions', ...(dryRun ? { dryRun: ['All'] } : {}) },
      preconditions: { uid: live.metadata.uid, resourceVersion: versionOf(live) },
    };
    try {
      await client.request(pathOf(ref), { method: 'DELETE', body });
      return { before: live, after: undefined };
    } catch (error) {
      if (!isConflict(error)) throw refused(ref, error);
      if (left <= 1) throw changedMeanwhile(ref, live);
    }
  }
}

async function present(client: ApiClient, ref: ObjectRef): Promise<LiveObject> {
  const live = await readObject(client, ref);
  if (live === undefined) throw changedMeanwhile(ref, undefined, 'was removed');
  return live;
}

const query = (dryRun: boolean): URLSearchParams =>
  new URLSearchParams({ fieldManager: ROUTE_MANAGER, fieldValidation: 'Strict', ...(dryRun ? { dryRun: 'All' } : {}) });

const versionOf = ({ metadata }: LiveObject): string => (metadata as { resourceVersion?: string }).resourceVersion as string;

const isConflict = (error: unknown): boolean => error instanceof ApiStatusError && error.status === 409;

function refused(ref: ObjectRef, error: unknown): unknown {
  if (!(error instanceof ApiStatusError)) return error;
  return new FairleadError('E_EDIT_REFUSED', `the change of ${refText(ref)} is refused: ${error.message}`, {
    next: 'Nothing of it was written.',
    cause: error,
  });
}

/** E_OBJECT_CHANGED, with who did it as far as the API server tells. */
export function changedMeanwhile(ref: ObjectRef, live: LiveObject | undefined, what = 'was changed', next?: string): FairleadError {
  const last = lastEditor(live);
  return new FairleadError('E_OBJECT_CHANGED', `${refText(ref)} ${what} by ${last ?? 'somebody else'} in the meantime`, {
    next: next ?? 'Nothing of it was written. Look at the change, and try again.',
  });
}

/** The manager that wrote last, of all but the status: `kubectl-edit`. */
function lastEditor(live: LiveObject | undefined): string | undefined {
  const entries = (live?.metadata.managedFields ?? []) as { manager?: string; time?: string; subresource?: string }[];
  return entries.filter((e) => !e.subresource).sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1))[0]?.manager;
}
