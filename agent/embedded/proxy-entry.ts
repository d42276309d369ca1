import { join } from 'node:path';
import { packageRoot } from '../../src/cli/package-root.ts';

/** The embedded proxy's main file: the bundled one when this code runs from dist/, else the source. */
export function proxyEntry(): string {
  return join(packageRoot(), import.meta.filename.endsWith('.ts') ? 'agent/proxy/main.ts' : 'dist/agent/proxy/main.js');
}
