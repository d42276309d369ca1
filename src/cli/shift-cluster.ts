/** A shift of a route in a cluster: each step is a patch of its destinations and of nothing else. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HTTPRoute, HTTPRouteDestination, VirtualService } from '../config/kinds/networking.ts';
import { isEqual } from '../edit/equal.ts';
import { changedMeanwhile, patchObject } from '../edit/live/write-objects.ts';
import { nameOfRoute } from '../edit/routes/find-routes.ts';
import { FairleadError } from '../errors.ts';
import { jsonPatch } from '../install/inject/json-patch.ts';
import { type LiveObject, readObject } from '../install/live/cluster-api.ts';
import type { ObjectRef } from '../install/objects/object.ts';
import { ApiStatusError } from '../kubernetes/api-error.ts';
import { createBackOff } from '../kubernetes/back-off.ts';
import type { ClusterStore } from './route-cluster.ts';
import {
  findShiftRoute,
  formatShares,
  type ShiftRoute,
  type ShiftTarget,
  sharesOf,
  type WantedObject,
  withNewShares,
} from './shift-steering.ts';

type Destinations = readonly HTTPRouteDestination[];

/** How long a cluster that cannot be asked is asked again to put a split back, milliseconds. */
const RESTORE_MS = 120_000;

/** Throws E_ROUTE_UNKNOWN, E_CLUSTER_*. */
export async function shiftInCluster(target: ShiftTarget, store: ClusterStore, warn: (text: string) => void): Promise<ShiftRoute> {
  const found = findShiftRoute(await store.load(), target);
  const { host, entry } = found;
  const { resource } = entry;
  const { name, namespace } = resource.metadata;
  const client = await store.client();
  const ref: ObjectRef = { apiVersion: resource.apiVersion, kind: 'VirtualService', name, namespace };
  const first = await readObject(client, ref);
  if (first === undefined) throw changedMeanwhile(ref, undefined, 'was removed');
  store.warnOfManager(first, ref, warn);
  let seen = versionOf(first, ref);
  // What the route has by this shift. After a write that was not answered it is one of two.
  let expected: Destinations[] = [entry.route.route ?? []];
  let checked = false;

  async function replace(next: (route: HTTPRoute) => Destinations): Promise<void> {
    const { after } = await patchObject(client, ref, false, (live) => {
      const index = indexOf(live, entry);
      const route = index === undefined ? undefined : routesIn(live)[index];
      const now = route?.route ?? [];
      if (route === undefined || !expected.some((one) => isEqual(one, now)))
        throw changedMeanwhile(
          ref,
          live,
          `${route === undefined ? `has no route ${nameOfRoute(entry)} any more: it was changed` : `has ${formatShares(sharesOf(found, now))} now: it was changed`}`,
          'The shift ends here and leaves it as it is.',
        );
      const wanted = next(route);
      expected = [now, wanted];
      return jsonPatch(now, wanted, `/spec/http/${index}/route`);
    });
    const index = indexOf(after, entry);
    expected = [(index === undefined ? undefined : routesIn(after)[index]?.route) ?? []];
    seen = versionOf(after, ref);
  }

  return {
    found,
    key: `${client.server} VirtualService ${namespace}/${name}`,
    async write(next) {
      if (!checked) {
        // Later steps are other numbers in the same places.
        const draft = store.draft();
        draft.set(resource, [...entry.path, 'route'], withNewShares(found, entry.route, next));
        await store.check(draft.changes(), warn);
        checked = true;
      }
      await replace((route) => withNewShares(found, route, next));
    },
    restore: (before) => persistently(() => replace(() => before), `the route of ${host}`, warn),
    seen: () => seen,
  };
}

const routesIn = (live: LiveObject): readonly HTTPRoute[] => (live['spec'] as VirtualService | undefined)?.http ?? [];

/** Others may have put routes before it: its name tells it, else its place and what it matches. */
function indexOf(live: LiveObject, { route, path }: { route: HTTPRoute; path: readonly (string | number)[] }): number | undefined {
  const routes = routesIn(live);
  const place = path.at(-1) as number;
  if (route.name === undefined) {
    const there = routes[place];
    return there !== undefined && there.name === undefined && isEqual(there.match ?? [], route.match ?? []) ? place : undefined;
  }
  const named = routes.flatMap((one, i) => (one.name === route.name ? [i] : []));
  return named.length === 1 ? named[0] : undefined;
}

function versionOf({ metadata }: LiveObject, { kind, name, namespace }: ObjectRef): WantedObject {
  const { uid, generation } = metadata as { uid?: string; generation?: number };
  return { kind, name, namespace: namespace as string, uid: uid as string, generation: generation ?? 0 };
}

/** An API server that is away for a while must not keep a bad version in traffic. */
async function persistently(work: () => Promise<void>, what: string, warn: (text: string) => void): Promise<void> {
  const backOff = createBackOff({ first: 250, longest: 5000 });
  for (const deadline = Date.now() + RESTORE_MS; ; ) {
    try {
      return await work();
    } catch (error) {
      const away =
        error instanceof FairleadError ? error.code === 'E_CLUSTER_UNREACHABLE' : error instanceof ApiStatusError && error.status >= 500;
      if (!away || Date.now() > deadline) throw error;
      warn(`${what} cannot be put back yet, and it is tried again: ${(error as Error).message}`);
      await sleep(backOff.next());
    }
  }
}
