/** All cases of an area on both engines, which work side by side; each is a test of its own. */
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type Test } from 'uvu';
import { realEnvoy } from '../support/envoy.ts';
import { logReader } from './access-log.ts';
import { type ContractCase, readCase } from './case.ts';
import { embeddedEngine } from './engines/embedded.ts';
import { envoyEngine } from './engines/envoy.ts';
import type { ContractEngine } from './engines/types.ts';
import { explainCase } from './explain-case.ts';
import { tell } from './results.ts';
import { runCase } from './run-case.ts';

/** The results of a lane's cases, begun at once: one after the other, each case alone. */
function lane(
  cases: readonly ContractCase[],
  start: (folder: string) => Promise<ContractEngine>,
): { results: Map<string, Promise<void>>; end: Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-contract-'));
  const logFile = join(folder, 'access.log');
  const log = logReader(logFile);
  const engine = start(folder);
  engine.catch(() => undefined);
  const results = new Map<string, Promise<void>>();
  let last: Promise<unknown> = engine.catch(() => undefined);
  for (const c of cases) {
    const result = last.then(async () => runCase(c, await engine, log, logFile));
    last = result.catch(() => undefined);
    results.set(c.file, result);
  }
  const end = last.then(async () => {
    await (await engine.catch(() => undefined))?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { results, end };
}

/** What depends on time or failure is none of explain's business; that is no skip to be told one by one. */
const UNDECIDED = 'not decidable without time, chance or failure';

function addExplained(test: Test, c: ContractCase): void {
  const { area, name } = c;
  const { explain: reason } = c.skip;
  if (reason !== undefined) {
    tell({ area, case: name, by: 'explain', outcome: 'skipped', reason });
    return;
  }
  test(`${name} [explain]: ${c.title}`, async () => {
    try {
      if (await explainCase(c)) tell({ area, case: name, by: 'explain', outcome: 'passed' });
      else tell({ area, case: name, by: 'explain', outcome: 'skipped', reason: UNDECIDED });
    } catch (error) {
      tell({ area, case: name, by: 'explain', outcome: 'failed' });
      throw error;
    }
  });
}

/** @param area the folder's name under cases/ */
export function contractArea(area: string): void {
  const only = process.env['FAIRLEAD_CONTRACT_CASE'];
  const root = join(import.meta.dirname, 'cases', area);
  const cases = globSync('*.yaml', { cwd: root })
    .sort()
    .map((file) => readCase(join(root, file)))
    .filter((c) => only === undefined || c.name.includes(only));
  const test = suite(area);
  const found = realEnvoy();
  if ('missing' in found) console.log(`SKIP ${area} on Envoy: ${found.missing}`);
  const lanes = [
    { by: 'embedded', start: embeddedEngine, skip: (c: ContractCase): string | undefined => c.skip.embedded },
    {
      by: 'envoy',
      start: 'missing' in found ? undefined : envoyEngine(found.path),
      skip: () => ('missing' in found ? found.missing : undefined),
    },
  ] as const;
  const ends: Promise<void>[] = [];
  for (const { by, start, skip } of lanes) {
    const { results, end } = start
      ? lane(
          cases.filter((c) => skip(c) === undefined),
          start,
        )
      : { results: new Map(), end: Promise.resolve() };
    ends.push(end);
    for (const c of cases) {
      const reason = skip(c);
      if (reason !== undefined) {
        tell({ area, case: c.name, by, outcome: 'skipped', reason });
        // A case's own skip is in the table; a missing Envoy counts.
        if (by === 'envoy') test.skip(`${c.name} [${by}]`);
        continue;
      }
      results.get(c.file)?.catch(() => undefined);
      test(`${c.name} [${by}]: ${c.title}`, async () => {
        try {
          await results.get(c.file);
          tell({ area, case: c.name, by, outcome: 'passed' });
        } catch (error) {
          tell({ area, case: c.name, by, outcome: 'failed' });
          throw error;
        }
      });
    }
  }
  for (const c of cases) addExplained(test, c);
  test.after(async () => {
    await Promise.all(ends);
  });
  test.run();
}
