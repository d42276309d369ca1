// test: exclusive
/** A minute of fuzzing: seeds that are always the same in CI; elsewhere one of them is new each time, and printed. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { realEnvoy } from '../support/envoy.ts';
import { fuzzDifferential } from './fuzz-differential.ts';
import { fuzzMalformed } from './fuzz-malformed.ts';

const envoy = realEnvoy();
// What CI says depends on the change alone; new seeds are for `npm run fuzz` and for people's machines.
const SEEDS: readonly number[] = [1, process.env['CI'] ? 2 : Date.now() % 1_000_000_000];
const EACH_MS = 14_000;

for (const seed of SEEDS) {
  const compare = `both engines give the same answers, seed ${seed}`;
  if ('missing' in envoy) {
    console.log(`SKIP ${compare}: ${envoy.missing}`);
    test.skip(compare);
  } else
    test(compare, async () => {
      const said: string[] = [`seed ${seed}`];
      const found = await fuzzDifferential({ envoy: envoy.path, seed, until: Date.now() + EACH_MS, log: (line) => said.push(line) });
      console.log(`  ${said.at(-1)}`);
      assert.is(found, 0, `${said.join('\n')}\nnpm run fuzz -- --seed ${seed}`);
    });

  test(`malformed HTTP harms nobody, seed ${seed}`, async () => {
    const problems = await fuzzMalformed({ seed, until: Date.now() + EACH_MS, log: (line) => console.log(`  ${line}`) });
    assert.equal(problems, [], `npm run fuzz -- --seed ${seed}`);
  });
}

test.run();
