import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leastRequest } from '../../../../agent/proxy/upstream/balancers/least-request.ts';
import { random } from '../../../../agent/proxy/upstream/balancers/random.ts';
import { roundRobin } from '../../../../agent/proxy/upstream/balancers/round-robin.ts';
import { seeded } from '../harness.ts';
import { makeHosts, tally } from './hosts.ts';

const deps = (now = () => 0) => ({ random: seeded(7), now });

test('round robin takes hosts in turn', () => {
  const hosts = makeHosts(3);
  const picker = roundRobin(deps())(hosts);
  const first = [1, 2, 3].map(() => picker.pick({}, 0));
  assert.is(new Set(first).size, 3);
  assert.equal(
    [1, 2, 3].map(() => picker.pick({}, 0)?.address),
    first.map((h) => h?.address),
  );
});

test('weighted round robin: exact shares in every round, and no bursts', () => {
  const hosts = makeHosts([1, 2, 5]);
  const picker = roundRobin(deps())(hosts);
  const picks = Array.from({ length: 800 }, () => picker.pick({}, 0));
  for (const host of hosts) assert.is(picks.filter((p) => p === host).length, host.weight * 100);
  let burst = 0;
  let longest = 0;
  for (const [i, pick] of picks.entries()) {
    burst = pick === picks[i - 1] ? burst + 1 : 1;
    longest = Math.max(longest, burst);
  }
  assert.ok(longest <= 3, `${longest} in a row`);
});

test('random spreads evenly whatever the weights', () => {
  const hosts = makeHosts([1, 100, 1, 1]);
  const picker = random(deps())(hosts);
  const counts = tally(40_000, () => picker.pick({}, 0));
  // Standard deviation of a share is 87: this is five of them.
  for (const host of hosts) assert.ok(Math.abs(counts.get(host)! - 10_000) < 435, `${counts.get(host)}`);
});

test('least request prefers the idle one of two', () => {
  const hosts = makeHosts(2);
  hosts[0]!.stats.rqActive = 5;
  const picker = leastRequest(deps(), { choices: 2, activeBias: 1 })(hosts);
  const counts = tally(10_000, () => picker.pick({}, 0));
  // The busy host is chosen only when both choices are it: a quarter of the time.
  assert.ok(Math.abs(counts.get(hosts[0]!)! - 2500) < 220, `${counts.get(hosts[0]!)}`);
});

test('least request with weights: shares by weight when idle, less for the busy', () => {
  const hosts = makeHosts([1, 3]);
  const picker = leastRequest(deps(), { choices: 2, activeBias: 1 })(hosts);
  const idle = tally(4000, () => picker.pick({}, 0));
  assert.ok(Math.abs(idle.get(hosts[1]!)! - 3000) <= 4, `${idle.get(hosts[1]!)}`);
  // With two active requests the heavy host weighs 3 / 3: as much as the light one.
  hosts[1]!.stats.rqActive = 2;
  const busy = tally(4000, () => picker.pick({}, 0));
  assert.ok(Math.abs(busy.get(hosts[1]!)! - 2000) <= 4, `${busy.get(hosts[1]!)}`);
});

test('slow start: a new host gets its share little by little', () => {
  let now = 0;
  const hosts = makeHosts(2);
  hosts[0]!.healthySince = -1e9;
  hosts[1]!.healthySince = 0;
  const slow = { window: 10_000, aggression: 1, minimum: 0.1 };
  const share = (): number => {
    const picker = roundRobin(
      deps(() => now),
      slow,
    )(hosts);
    return (tally(1100, () => picker.pick({}, 0)).get(hosts[1]!) ?? 0) / 1100;
  };
  assert.ok(Math.abs(share() - 0.1 / 1.1) < 0.01);
  now = 5000;
  assert.ok(Math.abs(share() - 0.5 / 1.5) < 0.01);
  now = 20_000;
  assert.ok(Math.abs(share() - 0.5) < 0.01);
});

test('no hosts, no choice', () => {
  for (const make of [roundRobin(deps()), random(deps()), leastRequest(deps(), { choices: 2, activeBias: 1 })]) {
    assert.is(make([]).pick({}, 0), undefined);
  }
});

test.run();
