// test: exclusive
/** A minute of fuzzing: seeds that are always the same, and one that is new each time and printed. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { realEnvoy } from '../support/envoy.ts';
import { fuzzDifferential } from './fuzz-differential.ts';
import { fuzzMalformed } from './fuzz-malformed.ts';

const envoy = realEnvoy();
const SEEDS: readonly number[] = [1, Date.now() % 1_000_000_000];
const EACH_MS = 14_000;

for (const [i, seed] of SEEDS.entries()) {
  const name = i === 0 ? 'fixed seed' : 'new seed';
  const compare = `both engines give the same answers, ${name}`;
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

  test(`malformed HTTP harms nobody, ${name}`, async () => {
    const problems = await fuzzMalformed({ seed, until: Date.now() + EACH_MS, log: (line) => console.log(`  ${line}`) });
    assert.equal(problems, [], `npm run fuzz -- --seed ${seed}`);
  });
}

test.run();
