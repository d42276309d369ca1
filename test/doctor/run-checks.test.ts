/** The runner: order, causes, skips, and checks that cannot be run. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { installDoctor, meshDoctor } from '../../src/doctor/checks/all.ts';
import { runChecks } from '../../src/doctor/run-checks.ts';
import type { Check, Outcome } from '../../src/doctor/types.ts';
import { FairleadError } from '../../src/errors.ts';

const ok: Outcome = { state: 'ok', message: 'fine' };
const failed: Outcome = { state: 'failed', message: 'bad' };

function check(id: string, outcome: Outcome | Error, more: Partial<Check<unknown>> = {}): Check<unknown> {
  return {
    id,
    what: id,
    why: 'because',
    severity: 'error',
    next: 'do it',
    async run() {
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    ...more,
  };
}

const run = (checks: Check<unknown>[], skip: string[] = []) => runChecks(checks, undefined, { skip, now: () => 0 });
const states = (report: Awaited<ReturnType<typeof run>>): string[] => report.checks.map((c) => `${c.id} ${c.state}`);

test('what follows from a failure is skipped and names the first cause, through any number of steps', async () => {
  const report = await run([
    check('a/1', failed),
    check('b/1', ok, { after: ['a/1'] }),
    check('c/1', ok, { after: ['b/1'] }),
    check('d/1', ok),
  ]);
  assert.equal(states(report), ['a/1 failed', 'b/1 skipped', 'c/1 skipped', 'd/1 ok']);
  assert.is(report.checks[2]?.cause, 'a/1');
  assert.is(report.checks[2]?.message, 'not looked at: a/1 failed');
  assert.is(report.result, 'failed');
});

test('a warning is no cause, and does not fail the whole', async () => {
  const report = await run([check('a/1', failed, { severity: 'warning' }), check('b/1', ok, { after: ['a/1'] })]);
  assert.equal(states(report), ['a/1 warning', 'b/1 ok']);
  assert.is(report.result, 'ok');
  assert.is(report.checks[0]?.next, 'do it');
});

test('what is skipped because it was asked for is no cause either; a group is all of its checks', async () => {
  const report = await run([check('a/1', failed), check('a/2', failed), check('b/1', ok, { after: ['a/1'] })], ['a']);
  assert.equal(states(report), ['a/1 skipped', 'a/2 skipped', 'b/1 ok']);
  assert.is(report.result, 'ok');
});

test('an error of the catalogue is a failed check with its own advice; any other one a check that could not be run', async () => {
  const known = new FairleadError('E_AGENT_UNREACHABLE', 'no agent', { next: 'start one' });
  const report = await run([check('a/1', known), check('b/1', new TypeError('oops')), check('c/1', ok)]);
  assert.equal(states(report), ['a/1 failed', 'b/1 broken', 'c/1 ok']);
  assert.is(report.checks[0]?.next, 'start one');
  assert.match(report.checks[1]?.message ?? '', /could not be run: oops/);
  assert.is(report.result, 'broken');
});

test('each check says what, why and what next, and comes after its causes', () => {
  for (const list of [meshDoctor, installDoctor] as readonly (readonly Check<never>[])[]) {
    const seen = new Set<string>();
    for (const { id, what, why, next, after = [] } of list) {
      assert.match(id, /^[a-z]+\/[a-z-]+$/);
      assert.not.ok(seen.has(id), id);
      assert.ok(what.length > 5 && !what.endsWith('.'), id);
      assert.ok(why.endsWith('.') && next.length > 10, id);
      for (const cause of after) assert.ok(seen.has(cause), `${id} after ${cause}`);
      seen.add(id);
    }
  }
});

test.run();
