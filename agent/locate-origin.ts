/** The line of configuration behind a piece of Envoy config that the engine refused. */
import type { MetadataJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { FieldPath, Resource } from '../src/config/resource.ts';
import { configPath, type Provenance } from '../src/envoy/metadata.ts';
import type { Snapshot } from '../src/envoy/snapshot.ts';
import type { Mesh } from '../src/mesh/types.ts';

export interface Origin {
  resource: Resource;
  path: FieldPath;
}

/**
 * @param what as a problem's origin names it: `cluster NAME`, `route NAME`, `endpoint CLUSTER`
 * @param reason the engine's words: of a route configuration they tell which of its routes is meant
 */
export function originOfRefused(what: string, reason: string, snapshot: Snapshot, mesh: Mesh): Origin | undefined {
  const [, kind = '', name = ''] = /^(\w+) (.+)$/.exec(what) ?? [];
  if (kind === 'cluster' || kind === 'endpoint') return follow(snapshot.clusters.find((c) => c.name === name)?.metadata, mesh);
  if (kind !== 'route') return undefined;
  const routes = (snapshot.routes.find((r) => r.name === name)?.virtualHosts ?? []).flatMap((h) => h.routes ?? []);
  const guilty = routeOf(routes, reason);
  return guilty && follow(guilty.metadata, mesh);
}

interface WithMetadata {
  metadata?: MetadataJson;
}

/** The one route that holds a word of the reason which the others do not; when all come from one place, that place. */
function routeOf<T extends WithMetadata>(routes: readonly T[], reason: string): T | undefined {
  const texts = routes.map((r) => JSON.stringify({ ...r, metadata: undefined }));
  // What is meant usually comes last.
  for (const word of (reason.match(/[^\s'",;()]{3,}/g) ?? []).reverse()) {
    const found = routes.filter((_, i) => texts[i]?.includes(word));
    if (found.length > 0 && new Set(found.map(keyOf)).size === 1) return found[0];
  }
  return new Set(routes.map(keyOf)).size === 1 ? routes[0] : undefined;
}

const keyOf = ({ metadata }: WithMetadata): string => JSON.stringify(metadata?.filterMetadata ?? {});

function follow(metadata: MetadataJson | undefined, mesh: Mesh): Origin | undefined {
  const { field = '', config } = (metadata?.filterMetadata?.['fairlead'] ?? {}) as Provenance;
  const path = config ?? (metadata?.filterMetadata?.['istio'] as { config?: string } | undefined)?.config;
  const resource = path === undefined ? undefined : mesh.resources.find((r) => configPath(r) === path);
  const steps = field.split(/[.[\]]+/).filter((s) => s !== '');
  return (
    resource && {
      resource,
      path: steps.length > 0 ? ['spec', ...steps.map((s) => (/^\d+$/.test(s) ? Number(s) : s))] : ['metadata', 'name'],
    }
  );
}
