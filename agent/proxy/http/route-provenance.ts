import type { CompiledRoute } from '../../../src/routing/types.ts';

/** Which resource made a route, and which field of it; from the route's metadata. */
export interface RouteProvenance {
  config: string | undefined;
  field: string | undefined;
}

const none: RouteProvenance = { config: undefined, field: undefined };
const known = new WeakMap<CompiledRoute, RouteProvenance>();

/** Read once for each compiled route. */
export function provenanceOf(route: CompiledRoute | undefined): RouteProvenance {
  if (route === undefined) return none;
  let found = known.get(route);
  if (found === undefined) {
    const metadata = route.json.metadata?.filterMetadata;
    const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
    const fairlead = metadata?.['fairlead'];
    found = { config: text(fairlead?.['config']) ?? text(metadata?.['istio']?.['config']), field: text(fairlead?.['field']) };
    known.set(route, found);
  }
  return found;
}
