/** Builds `dist/` from the sources: tsc, then the manifest that lets the command line start without loading every command. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
rmSync(join(root, 'dist'), { recursive: true, force: true });

function run(command: string, args: string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) return;
  console.error(`build: ${command} ${args.join(' ')} failed (${error?.message ?? `exit ${status}`})`);
  process.exit(1);
}

run(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json']);
run(process.execPath, [join(root, 'node_modules/.bin/oclif'), 'manifest', '.']);
