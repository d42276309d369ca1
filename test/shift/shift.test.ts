import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Share } from '../../src/edit/routes/split.ts';
import { FairleadError } from '../../src/errors.ts';
import { parseGate, readGate } from '../../src/shift/gates.ts';
import type { JournalEntry } from '../../src/shift/journal.ts';
import { startOf } from '../../src/shift/resume.ts';
import { asPercent, sharesAt } from '../../src/shift/shares.ts';
import { random } from '../config/random.ts';

const share = (subset: string, weight: number): Share => ({ host: undefined, subset, weight });
const weights = (shares: readonly Share[]): number[] => shares.map((s) => s.weight);
const to = { host: undefined, subset: 'new' };

test('weights always add up to 100, the new one has its share, and the others keep their proportion', () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const r = random(seed);
    const before = Array.from({ length: 1 + r.below(4) }, (_, i) => share(`v${i}`, (i === 0 ? 1 : 0) + r.below(60)));
    if (r.below(2) === 0) before.push(share('new', r.below(20)));
    const percent = 1 + r.below(100);
    const split = sharesAt(asPercent(before), to, percent);
    assert.is(
      weights(split).reduce((a, b) => a + b, 0),
      100,
      `seed ${seed}`,
    );
    assert.ok(split.every((s) => Number.isInteger(s.weight) && s.weight >= 0));
    if (before.some((s) => s.subset !== 'new')) assert.is(split.find((s) => s.subset === 'new')?.weight, percent);
    const others = before.filter((s) => s.subset !== 'new');
    const sum = others.reduce((a, b) => a + b.weight, 0);
    for (const other of others) {
      const exact = sum === 0 ? (100 - percent) / others.length : (other.weight * (100 - percent)) / sum;
      const got = split.find((s) => s.subset === other.subset)?.weight as number;
      assert.ok(Math.abs(got - exact) <= 2, `seed ${seed}: ${got} for ${exact}`);
    }
  }
});

test('a split without the new version gets it at its end', () => {
  assert.equal(weights(sharesAt([share('v1', 90), share('v2', 10)], to, 50)), [45, 5, 50]);
});

test('gates are read, measured and judged', () => {
  const samples = Array.from({ length: 100 }, (_, i) => ({ failed: i < 2, duration: i + 1 }));
  const judge = (text: string): [boolean, string] => {
    const { holds, shown } = readGate(parseGate(text), samples);
    return [holds, shown];
  };
  assert.equal(judge('errors<2%'), [false, '2 %']);
  assert.equal(judge('errors<=2%'), [true, '2 %']);
  assert.equal(judge('p99<100ms'), [true, '99 ms']);
  assert.equal(judge('p50<=0.05s'), [true, '50 ms']);
  assert.equal(judge('p99.9 < 100ms'), [false, '100 ms']);
  assert.is(readGate(parseGate('errors<1%'), []).holds, true);
});

test('what is no gate is refused with an example', () => {
  for (const text of ['', 'errors', 'errors<1', 'errors>1%', 'p100<1s', 'p99<1', 'p99<fast', 'errors<101%', 'latency<1s'])
    assert.throws(
      () => parseGate(text),
      (error: unknown) => error instanceof FairleadError && error.code === 'E_USAGE',
      text,
    );
});

test('a shift goes on from the share that the file has, of the two that the journal names', () => {
  const before = [share('v1', 9), share('v2', 1)];
  const destinations = [{ destination: { host: 'a', subset: 'v1' } }];
  const left: JournalEntry = {
    ...{ host: 'a', route: 'r', before, destinations, to: 'v2', percent: 50, previous: 20 },
    ...{ process: { pid: 1, identity: undefined }, startedAt: 7 },
  };
  const start = (v1: number, v2: number, entry: JournalEntry = left): unknown[] => {
    const {
      reached,
      steps,
      startedAt,
      destinations: kept,
    } = startOf(entry, 'v2', { shares: [share('v1', v1), share('v2', v2)], destinations: [] }, [20, 30, 50, 100]);
    return [reached, steps, startedAt === 7 && kept === destinations];
  };
  assert.equal(start(50, 50), [50, [50, 100], true]);
  assert.equal(start(80, 20), [20, [30, 50, 100], true]);
  const anew = [undefined, [20, 30, 50, 100], false];
  assert.equal(start(9, 1), anew);
  assert.equal(start(81, 19), anew);
  assert.equal(start(50, 50, { ...left, to: 'v1' }), anew);
});

test.run();
