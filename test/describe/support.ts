/** A mesh from YAML, and what is described of it. */
import { readFileSync } from 'node:fs';
import { parseConfig } from '../../src/config/parse-config.ts';
import { describeResource } from '../../src/describe/resource.ts';
import type { ResourceDescription } from '../../src/describe/types.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import type { Mesh } from '../../src/mesh/types.ts';

/** Throws for what is no configuration. */
export async function meshOf(text: string): Promise<Mesh> {
  const { resources, problems } = await parseConfig(text, 'mesh.yaml');
  const errors = problems.filter((p) => p.severity === 'error');
  if (errors.length > 0) throw new Error(JSON.stringify(errors, null, 1));
  return buildMesh(resources);
}

/** The mesh of `mesh/shop.yaml`. */
export const shopMesh = (): Promise<Mesh> => meshOf(readFileSync(new URL('mesh/shop.yaml', import.meta.url), 'utf8'));

/** `VirtualService shop/reviews`. */
export function described(mesh: Mesh, name: string): ResourceDescription {
  const [, kind, namespace, own] = /^(\w+) ([^/]+)\/(.+)$/.exec(name) ?? [];
  const found = mesh.resources.find((r) => r.kind === kind && r.metadata.namespace === namespace && r.metadata.name === own);
  if (found === undefined) throw new Error(`no ${name}`);
  return describeResource(mesh, found);
}
