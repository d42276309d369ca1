/** A shift of a route that is written in files. */
import { resolve } from 'node:path';
import type { HTTPRouteDestination } from '../config/kinds/networking.ts';
import { checkChanges, sidesOfFiles } from '../edit/check-changes.ts';
import { createDraft } from '../edit/draft.ts';
import { writeChanges } from '../edit/write-changes.ts';
import { FairleadError } from '../errors.ts';
import type { Mesh } from '../mesh/types.ts';
import { isSameSplit } from '../shift/shares.ts';
import {
  type FoundRoute,
  findShiftRoute,
  formatShares,
  type ShiftRoute,
  type ShiftTarget,
  sharesOf,
  withNewShares,
} from './shift-steering.ts';

/** Where the files are, and how to read them anew. */
export interface ShiftFiles {
  paths: readonly string[];
  /** Loads and models the files as they are now. */
  load(): Promise<Mesh>;
}

/** Throws E_ROUTE_UNKNOWN. */
export async function shiftInFiles(target: ShiftTarget, { paths, load }: ShiftFiles): Promise<ShiftRoute> {
  const found = findShiftRoute(await load(), target);
  let { shares } = found;

  async function replace(next: (now: FoundRoute) => readonly HTTPRouteDestination[]): Promise<void> {
    const now = findShiftRoute(await load(), target);
    if (!isSameSplit(now.shares, shares))
      throw new FairleadError(
        'E_FILE_CHANGED',
        `the route of ${now.host} was changed by somebody else: it is ${formatShares(now.shares)} now`,
        {
          position: now.entry.position,
          next: 'The shift ends here and leaves it as it is.',
        },
      );
    const draft = createDraft();
    const destinations = next(now);
    draft.set(now.entry.resource, [...now.entry.path, 'route'], destinations);
    const changes = draft.changes();
    if (changes.length > 0) {
      await checkChanges(sidesOfFiles(paths, changes), { namespace: target.namespace });
      await writeChanges(changes);
    }
    shares = sharesOf(now, destinations);
  }

  return {
    found,
    key: resolve(found.entry.resource.source.file),
    write: (next) => replace((now) => withNewShares(now, now.entry.route, next)),
    restore: (before) => replace(() => before),
    seen: () => undefined,
  };
}
