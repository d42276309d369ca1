import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FairleadError } from '../../src/errors.ts';
import { createBackOff } from '../../src/kubernetes/back-off.ts';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import { createReachability } from '../../src/kubernetes/reachability.ts';

/** Numbers that are the same in every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('the limit doubles up to the longest pause, and begins again after a success', () => {
  const backOff = createBackOff({ first: 100, longest: 3000, random: () => 1 });
  assert.equal(
    Array.from({ length: 8 }, () => backOff.next()),
    [100, 200, 400, 800, 1600, 3000, 3000, 3000],
  );
  backOff.reset();
  assert.is(backOff.next(), 100);
});

test('a thousand agents do not come back in one wave', () => {
  const random = dice(7);
  // All lose the API server at the same moment; it is away for a minute.
  const returns = Array.from({ length: 1000 }, () => {
    const backOff = createBackOff({ first: 100, longest: 3000, random });
    let at = 0;
    while (at < 60_000) at += backOff.next();
    return at - 60_000;
  });
  assert.ok(Math.max(...returns) < 3000, 'all are back within the longest pause');
  const perTenth = Map.groupBy(returns, (ms) => Math.floor(ms / 100));
  const most = Math.max(...[...perTenth.values()].map((all) => all.length));
  assert.ok(most < 110, `${most} of 1000 within one tenth of a second`);
});

test('all watches of a cluster wait for one probe', async () => {
  let probes = 0;
  let away = true;
  const unreachable = new FairleadError('E_CLUSTER_UNREACHABLE', 'away');
  const client = {
    async request() {
      probes++;
      if (probes === 3) away = false;
      if (away) throw unreachable;
      return {};
    },
  } as unknown as ApiClient;
  const stop = new AbortController();
  const reachability = createReachability(client, stop.signal, dice(3));
  await Promise.all(Array.from({ length: 20 }, () => reachability.wait(unreachable)));
  assert.is(probes, 3);
  assert.ok(reachability.outage());
  reachability.succeeded();
  assert.is(reachability.outage(), undefined);
});

test.run();
