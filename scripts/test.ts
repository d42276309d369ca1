/** `npm test`: generate, build, lint, type-check, run every test. The last line is `N passed, N failed`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = mkdtempSync(join(tmpdir(), 'fairlead-test-'));
const summary = join(scratch, 'summary');
const failedChecks: string[] = [];
const bin = (name: string): string => join(root, 'node_modules/.bin', name);

const STEPS: readonly [name: string, command: string, args: string[], more?: Record<string, string>][] = [
  ['generate', process.execPath, ['scripts/generate-envoy-api.ts']],
  ['build', process.execPath, ['scripts/build.ts']],
  ['lint', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['imports', bin('depcruise'), ['--config', '.dependency-cruiser.cjs', 'commands', 'agent', 'src']],
  ['types', bin('tsc'), ['--noEmit']],
  ['tools', process.execPath, ['scripts/test-tools.ts']],
  ['tests', process.execPath, ['test/run.ts', ...process.argv.slice(2)], { FAIRLEAD_TEST_SUMMARY: summary }],
];

try {
  for (const [name, command, args, more] of STEPS) {
    console.log(`\n== ${name}`);
    const started = performance.now();
    const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...more } });
    console.log(`== ${name}: ${status === 0 ? 'done' : 'failed'} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    if (status === 0) continue;
    if (error) console.error(error.message);
    process.exitCode = 1;
    // Without a build there is nothing to test; a lint error is no reason not to.
    if (name === 'generate' || name === 'build') break;
    if (name !== 'tests') failedChecks.push(name);
  }
  console.log(`\n${readSummary()}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** The tests' own summary, with each failed check counted as one more failure; no summary at all is a failure too. */
function readSummary(): string {
  if (failedChecks.length > 0) console.log(`\nfailed: ${failedChecks.join(', ')}`);
  try {
    return readFileSync(summary, 'utf8')
      .trim()
      .replace(/(\d+) failed/, (_all, n: string) => `${Number(n) + failedChecks.length} failed`);
  } catch {
    process.exitCode = 1;
    return '0 passed, 1 failed';
  }
}
