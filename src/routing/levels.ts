import type { RetryPolicyJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { HeaderMutations } from './header-mutation.ts';
import type { CompiledMirror } from './mirror.ts';
import type { CompiledVirtualHost, FilterConfig } from './types.ts';

/** What one level (route configuration, virtual host, route, weighted cluster) adds. */
export interface LevelParts {
  request: HeaderMutations | undefined;
  response: HeaderMutations | undefined;
  filters: ReadonlyMap<string, FilterConfig>;
}

/** Levels from the route configuration down, and what routes inherit from them. */
export interface Level {
  readonly virtualHost: CompiledVirtualHost;
  readonly ignorePathParameters: boolean;
  readonly maxDirectResponseBytes: number;
  readonly mirrors: readonly CompiledMirror[];
  readonly retryPolicy: { json: RetryPolicyJson; path: string } | undefined;
  readonly bufferLimit: number | undefined;
  /** One more level under this one. */
  below(parts: LevelParts): Level;
  /** Header mutations and filter configurations in the order in which they apply; a weighted cluster's mutations come first in any case. */
  mutations(weighted?: LevelParts): {
    requestMutations: readonly HeaderMutations[];
    responseMutations: readonly HeaderMutations[];
    filterLevels: readonly ReadonlyMap<string, FilterConfig>[];
  };
}

/** The outermost levels; `parts` come least specific first. */
export function makeLevel(inherited: Omit<Level, 'below' | 'mutations'>, mostSpecificWins: boolean, parts: readonly LevelParts[]): Level {
  return {
    ...inherited,
    below: (more) => makeLevel(inherited, mostSpecificWins, [...parts, more]),
    mutations(weighted) {
      // The later one wins. Envoy: by default the least specific comes last.
      const ordered = mostSpecificWins ? parts : parts.toReversed();
      const all = weighted === undefined ? ordered : [weighted, ...ordered];
      const specific = weighted === undefined ? parts.toReversed() : [weighted, ...parts.toReversed()];
      return {
        requestMutations: all.flatMap((p) => p.request ?? []),
        responseMutations: all.flatMap((p) => p.response ?? []),
        filterLevels: specific.map((p) => p.filters).filter((f) => f.size > 0),
      };
    },
  };
}
