/** Builds `dist/` from the sources: bundles, then the manifest that lets the command line start without loading every command. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './build/bundle.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
try {
  await bundle(root);
} catch (error) {
  console.error(`build: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
const { status, error } = spawnSync(process.execPath, [join(root, 'node_modules/.bin/oclif'), 'manifest', '.'], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) {
  console.error(`build: oclif manifest failed (${error?.message ?? `exit ${status}`})`);
  process.exitCode = 1;
}
