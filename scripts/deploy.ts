/**
 * Writes deploy/: the Dockerfile and the Helm chart, made from what `fairlead install` applies.
 *
 *   node scripts/deploy.ts [--check]
 *
 * With --check nothing is written; the exit code is 1 when a file is not what it should be.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../src/cli/package-root.ts';
import { chartFiles } from './deploy/chart.ts';
import { dockerfile, dockerignore } from './deploy/dockerfile.ts';

const { version, engines } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
  version: string;
  engines: { node: string };
};
const files = new Map([
  ['Dockerfile', dockerfile(Number(/\d+/.exec(engines.node)?.[0]))],
  ['Dockerfile.dockerignore', dockerignore],
  ...[...chartFiles(version)].map(([path, text]) => [`helm/fairlead/${path}`, text] as const),
]);

for (const [path, text] of files) {
  const file = join(packageRoot(), 'deploy', path);
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } else if (readIfThere(file) !== text) {
    console.error(`deploy/${path} is not what the settings make; run: node scripts/deploy.ts`);
    process.exitCode = 1;
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
