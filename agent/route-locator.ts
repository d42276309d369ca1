/** From a finished request to the line of configuration that routed it. */
import { basename } from 'node:path';
import { createLocator } from '../src/explain/locator.ts';
import type { Locator } from '../src/explain/view.ts';
import type { Mesh } from '../src/mesh/types.ts';
import type { RequestRecord } from '../src/telemetry/request-record.ts';

/** `reviews.yaml:14`, remembered for as long as the mesh is the same. */
export function createRouteLocator(mesh: () => Mesh | undefined): (record: RequestRecord) => string | undefined {
  let of: Mesh | undefined;
  let locator: Locator | undefined;
  let known = new Map<string, string | undefined>();
  return (record) => {
    if (record.config === undefined) return undefined;
    const now = mesh();
    if (now !== of) {
      of = now;
      known = new Map();
      locator = now && createLocator(now);
    }
    const key = `${record.config} ${record.field ?? ''}`;
    if (!known.has(key)) {
      const at = locator?.resource(record.config, record.field || undefined);
      known.set(key, at && (at.line === 0 ? at.file : `${basename(at.file ?? '')}:${at.line}`));
    }
    return known.get(key);
  };
}
