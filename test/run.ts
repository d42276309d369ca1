/**
 * Runs test files, each in its own process, two at a time, and adds up what they say.
 *
 *   node test/run.ts [--serial] [PART OF A PATH …]
 *
 * A file prints uvu's summary (Total, Passed, Skipped). One that ends without it, or with a failing code, counts as a failure.
 * At the end the contract's table (see contract/results.ts); the last line is `N passed, N failed[, N skipped]`.
 */
import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contractTable } from './contract/results.ts';

interface Outcome {
  file: string;
  passed: number;
  failed: number;
  skipped: number;
  seconds: number;
  output: string;
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
const filters = args.filter((a) => !a.startsWith('--'));
const workers = args.includes('--serial') ? 1 : Math.min(4, Math.max(2, availableParallelism()));
/** No test file may take longer than this; a hang is a failure with a name. */
const deadlineMs = 300_000;
/** A file that has told its result ends soon after, unless something is left open. */
const endMs = 10_000;
/** Where the contract's cases tell what became of them. */
const contractResults = mkdtempSync(join(tmpdir(), 'fairlead-results-'));

function run(file: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, [file], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, FORCE_COLOR: '0', FAIRLEAD_TEST_SUMMARY: '', FAIRLEAD_CONTRACT_RESULTS: contractResults },
    });
    let output = '';
    let late: string | undefined;
    const limit = (ms: number): NodeJS.Timeout =>
      setTimeout(() => {
        late = `no end after ${ms / 1000} s`;
        child.kill('SIGKILL');
      }, ms);
    let timer = limit(deadlineMs);
    child.stdout.on('data', (d) => {
      output += d;
      if (!/^ +Duration: /m.test(output)) return;
      clearTimeout(timer);
      timer = limit(endMs);
    });
    child.stderr.on('data', (d) => (output += d));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const figure = (name: string): number =>
        [...output.matchAll(new RegExp(`^\\s*${name}:\\s+(\\d+)`, 'gm'))].reduce((n, m) => n + Number(m[1]), 0);
      const [total, passed, skipped] = [figure('Total'), figure('Passed'), figure('Skipped')];
      let failed = total - passed;
      if (late) output += `\n${file}: ${late}\n`;
      if (failed === 0 && (code !== 0 || total + skipped === 0)) {
        failed = 1;
        output += `\n${file}: ended with ${signal ?? `exit ${code}`} after ${total} tests\n`;
      }
      resolve({ file, passed, failed, skipped, seconds: (performance.now() - started) / 1000, output });
    });
  });
}

/** Files that measure time or saturate the machine run alone, after the rest; they say so in a first-line comment. */
const isExclusive = (file: string): boolean => /^\/\/ test: exclusive/.test(readFileSync(`${root}/${file}`, 'utf8'));

const files = globSync('test/**/*.test.ts', { cwd: root })
  .filter((f) => filters.length === 0 || filters.some((part) => f.includes(part)))
  .sort();
const outcomes: Outcome[] = [];

async function drain(queue: string[], parallel: number): Promise<void> {
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (let file = queue.shift(); file; file = queue.shift()) {
        const outcome = await run(file);
        outcomes.push(outcome);
        const { passed, failed, skipped, seconds } = outcome;
        console.log(
          `${failed === 0 ? 'ok  ' : 'FAIL'} ${outcome.file}  ${passed} passed${failed ? `, ${failed} failed` : ''}${skipped ? `, ${skipped} skipped` : ''}  ${seconds.toFixed(1)} s`,
        );
        for (const line of outcome.output.split('\n')) if (/^SKIP\b/.test(line)) console.log(`     ${line}`);
      }
    }),
  );
}

await drain(
  files.filter((f) => !isExclusive(f)),
  workers,
);
await drain(files.filter(isExclusive), 1);
for (const o of outcomes) if (o.failed > 0) console.log(`\n--- ${o.file}\n${o.output.trim()}`);
const sum = (pick: (o: Outcome) => number): number => outcomes.reduce((n, o) => n + pick(o), 0);
const [passed, failed, skipped] = [sum((o) => o.passed), sum((o) => o.failed), sum((o) => o.skipped)];
const table = contractTable(contractResults);
rmSync(contractResults, { recursive: true, force: true });
const closing = `${table === undefined ? '' : `${table}\n\n`}${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;
// `npm test` has the last word, which its other checks are part of: the line is handed over.
const handOver = process.env['FAIRLEAD_TEST_SUMMARY'];
if (handOver) writeFileSync(handOver, closing);
else console.log(`\n${closing}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
