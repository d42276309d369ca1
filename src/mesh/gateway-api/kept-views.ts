import { isDeepStrictEqual } from 'node:util';
import type { VirtualServiceView } from '../types.ts';

/** The views, with those of before in place of equal ones; `known` is what there is from now on. */
export function keptViews(views: readonly VirtualServiceView[], known: Map<string, VirtualServiceView>): readonly VirtualServiceView[] {
  const kept = views.map((view) => {
    const before = known.get(view.id!);
    return before !== undefined && isSame(view, before) ? before : view;
  });
  known.clear();
  for (const view of kept) known.set(view.id!, view);
  return kept;
}

function isSame(a: VirtualServiceView, b: VirtualServiceView): boolean {
  return (
    a.resource === b.resource &&
    a.httpOrigins.length === b.httpOrigins.length &&
    a.httpOrigins.every((origin, i) => isSameOrigin(origin, b.httpOrigins[i]!)) &&
    isDeepStrictEqual([a.hosts, a.exportTo, a.spec], [b.hosts, b.exportTo, b.spec])
  );
}

type Origin = VirtualServiceView['httpOrigins'][number];

const pathsOf = ({ path, matches }: Origin): unknown => [path, matches?.map((m) => m.path)];

function isSameOrigin(a: Origin, b: Origin): boolean {
  return a.resource === b.resource && isDeepStrictEqual(pathsOf(a), pathsOf(b));
}
