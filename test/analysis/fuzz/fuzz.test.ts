// test: exclusive
/** Bad files through the analysis: half a minute, in CI a minute; seeds that are always the same, and one that is new each time and printed. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fuzzAnalysis } from './fuzz-analysis.ts';

const EACH_MS = process.env['CI'] ? 30_000 : 12_000;

for (const seed of [1, Date.now() % 1_000_000_000]) {
  test(`bad files stop nothing, ${seed === 1 ? 'fixed seed' : 'new seed'}`, async () => {
    const problems = await fuzzAnalysis({ seed, until: Date.now() + EACH_MS, log: (line) => console.log(`  ${line}`) });
    assert.equal(problems, [], `npm run fuzz -- --analyze --seed ${seed}`);
  });
}

test.run();
