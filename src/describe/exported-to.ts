import { isExportedTo } from '../mesh/export-to.ts';
import type { Mesh } from '../mesh/types.ts';

/** How many hosts of services are exported to a namespace, whatever Sidecars import. */
export function exportedTo(mesh: Mesh, namespace: string): number {
  return new Set(mesh.services.filter((s) => isExportedTo(s.exportTo, namespace)).map((s) => s.host)).size;
}
