/**
 * How long `fairlead diff` takes on a large mesh, start-up included, as a user waits for it: one changed weight against a git revision, and
 * against another folder.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figures, median } from './figures.ts';
import { serviceYaml } from './routed-service.ts';

const rounds = 5;
const services = 1000;
const routes = 3;
const bin = fileURLToPath(new URL('../bin/fairlead.js', import.meta.url));

/** Milliseconds of one whole process that ends with `code`. */
function timed(args: readonly string[], cwd: string, code: number): number {
  const started = performance.now();
  const ran = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  if (ran.status !== code) throw new Error(`${args.join(' ')} ended with ${ran.status}: ${ran.stderr}`);
  return performance.now() - started;
}

function git(cwd: string, ...args: string[]): void {
  const ran = spawnSync('git', ['-c', 'user.email=bench@example.com', '-c', 'user.name=bench', ...args], { cwd, encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`git ${args.join(' ')}: ${ran.stderr || ran.error?.message}`);
}

export async function benchDiff(): Promise<void> {
  const parts = Array.from({ length: services }, (_, i) => serviceYaml(i, routes));
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  try {
    for (const name of ['mesh', 'next']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'mesh/mesh.yaml'), parts.join(''));
    git(folder, 'init', '-q');
    git(folder, 'add', '.');
    git(folder, 'commit', '-qm', 'mesh');
    const changed = parts.with(500, (parts[500] as string).replace(/weight: 90/, 'weight: 80').replace(/weight: 10\b/, 'weight: 20'));
    for (const name of ['mesh', 'next']) writeFileSync(join(folder, name, 'mesh.yaml'), changed.join(''));
    const times = { bare: [] as number[], revision: [] as number[], folders: [] as number[] };
    git(folder, 'stash', '-q');
    writeFileSync(join(folder, 'next/mesh.yaml'), changed.join(''));
    for (let round = 0; round < rounds; round++) {
      times.bare.push(timed(['-e', '0'], folder, 0));
      times.folders.push(timed([bin, 'diff', 'mesh', 'next'], folder, 1));
    }
    git(folder, 'stash', 'pop', '-q');
    for (let round = 0; round < rounds; round++) times.revision.push(timed([bin, 'diff', '--against', 'HEAD'], folder, 1));
    const base = median(times.bare);
    const row = (name: string, values: readonly number[]): string[] => [
      name,
      `${median(values).toFixed(0)} ms`,
      `${(median(values) / base).toFixed(1)} x`,
    ];
    console.log(`${services} services, ${services * routes} routes, ${services * 2} workloads, one changed weight`);
    console.log(
      figures([
        ['', `median of ${rounds}`, 'of node -e 0'],
        row('node -e 0', times.bare),
        row('diff --against HEAD', times.revision),
        row('diff of two folders', times.folders),
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
