/** Views of whole meshes for tests of explanations. */
import { loadConfig } from '../../src/config/load.ts';
import { buildSnapshot } from '../../src/envoy/build.ts';
import { explainRequest } from '../../src/explain/explain.ts';
import { createLocator } from '../../src/explain/locator.ts';
import { createMeshSides } from '../../src/explain/mesh-side.ts';
import type { ExplainRequest, Explanation } from '../../src/explain/types.ts';
import { type ProxyView, viewOfSnapshot } from '../../src/explain/view.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { findProxy } from '../../src/mesh/proxies.ts';
import type { Mesh, ProxyNode } from '../../src/mesh/types.ts';

/** What one proxy of a folder's mesh runs. */
export async function viewOf(paths: readonly string[], name: string): Promise<ProxyView> {
  const { resources, meshConfig } = await loadConfig(paths, {});
  return viewIn(buildMesh(resources, { meshConfig }), name, paths.join(', '));
}

/** What one proxy of a mesh runs, among the others. */
export function viewIn(mesh: Mesh, name: string, source = 'mesh'): ProxyView {
  const proxy = findProxy(mesh, name);
  if ('candidates' in proxy) throw new Error(`no proxy ${name}: ${proxy.candidates.join(', ')}`);
  const views = new Map<ProxyNode, ProxyView>();
  const open = (node: ProxyNode): ProxyView => {
    const known = views.get(node) ?? viewOfSnapshot(buildSnapshot(mesh, node), source, createLocator(mesh, node.namespace), sides.of(node));
    views.set(node, known);
    return known;
  };
  const sides = createMeshSides(mesh, open);
  return open(proxy);
}

/** A GET, with headers as pairs. */
export function get(view: ProxyView, url: string, more: Partial<ExplainRequest> = {}): Explanation {
  return explainRequest(view, { method: 'GET', url, ...more });
}
