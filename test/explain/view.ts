/** Views of whole meshes for tests of explanations. */
import { loadConfig } from '../../src/config/load.ts';
import { buildSnapshot } from '../../src/envoy/build.ts';
import { explainRequest } from '../../src/explain/explain.ts';
import { createLocator } from '../../src/explain/locator.ts';
import type { ExplainRequest, Explanation } from '../../src/explain/types.ts';
import { type ProxyView, viewOfSnapshot } from '../../src/explain/view.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { findProxy } from '../../src/mesh/proxies.ts';

/** What one proxy of a folder's mesh runs. */
export async function viewOf(paths: readonly string[], name: string): Promise<ProxyView> {
  const { resources, meshConfig } = await loadConfig(paths, {});
  const mesh = buildMesh(resources, { meshConfig });
  const proxy = findProxy(mesh, name);
  if ('candidates' in proxy) throw new Error(`no proxy ${name}: ${proxy.candidates.join(', ')}`);
  return viewOfSnapshot(buildSnapshot(mesh, proxy), paths.join(', '), createLocator(mesh));
}

/** A GET, with headers as pairs. */
export function get(view: ProxyView, url: string, more: Partial<ExplainRequest> = {}): Explanation {
  return explainRequest(view, { method: 'GET', url, ...more });
}
