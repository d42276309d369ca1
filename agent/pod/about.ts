/** The small model that an agent in a pod makes of what it is told of its proxy. */
import type { Resource } from '../../src/config/resource.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import type { Mesh, ProxyNode } from '../../src/mesh/types.ts';
import type { AboutObject, AboutProxy } from '../node/about.ts';

export interface OwnMesh {
  mesh: Mesh;
  proxy: ProxyNode;
}

/** A mesh of the objects that are about one proxy, and the proxy in it. */
export function ownMesh({ proxy, config, objects }: AboutProxy): OwnMesh {
  const resources = objects.map(asResource);
  const mesh = buildMesh(resources, { meshConfig: config });
  const pod = resources.find(({ kind, metadata }) => kind === 'Pod' && metadata.name === proxy.workload.name);
  return { mesh, proxy: { ...proxy, workload: { ...proxy.workload, resource: pod } } };
}

/** Objects of a cluster have no lines. */
function asResource({ file, ...object }: AboutObject): Resource {
  const position = { file, line: 0, column: 0 };
  return { ...object, source: { file, document: 0, positionOf: () => position, keyPositionOf: () => position } } as Resource;
}
