/** From a finished request to the line of configuration that routed it. */
import { basename } from 'node:path';
import type { Resource } from '../src/config/resource.ts';
import { configPath } from '../src/envoy/metadata.ts';
import type { Mesh } from '../src/mesh/types.ts';
import type { RequestRecord } from '../src/telemetry/request-record.ts';

/** `reviews.yaml:14`, remembered for as long as the mesh is the same. */
export function createRouteLocator(mesh: () => Mesh | undefined): (record: RequestRecord) => string | undefined {
  let of: Mesh | undefined;
  let resources = new Map<string, Resource>();
  let known = new Map<string, string | undefined>();
  return (record) => {
    if (record.config === undefined) return undefined;
    const now = mesh();
    if (now !== of) {
      of = now;
      known = new Map();
      resources = new Map((now?.ofKind('VirtualService') ?? []).map((r) => [configPath(r), r]));
    }
    const key = `${record.config} ${record.field ?? ''}`;
    if (!known.has(key)) known.set(key, locate(resources.get(record.config), record.field));
    return known.get(key);
  };
}

function locate(resource: Resource | undefined, field: string | undefined): string | undefined {
  if (!resource) return undefined;
  const path = (field ?? '')
    .split(/[.[\]]+/)
    .filter((p) => p !== '')
    .map((p) => (/^\d+$/.test(p) ? Number(p) : p));
  const at = resource.source.positionOf(path.length > 0 ? ['spec', ...path] : ['metadata', 'name']);
  return `${basename(at.file)}:${at.line}`;
}
