import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StatCounter } from '../../../../agent/proxy/stats/stat-counter.ts';
import { type AssignmentPolicy, LoadBalancer, type LoadBalancerOptions } from '../../../../agent/proxy/upstream/balancers/load-balancer.ts';
import { roundRobin } from '../../../../agent/proxy/upstream/balancers/round-robin.ts';
import type { UpstreamHost } from '../../../../agent/proxy/upstream/host.ts';
import { priorityLoad } from '../../../../src/upstream/priority-load.ts';
import { seeded } from '../harness.ts';
import { makeHosts, tally } from './hosts.ts';

function balancer(hosts: UpstreamHost[], more: Partial<LoadBalancerOptions> = {}, policy?: AssignmentPolicy) {
  const deps = { random: seeded(11), now: () => 0 };
  const panicked = new StatCounter();
  const lb = new LoadBalancer({
    make: roundRobin(deps),
    hashes: false,
    weighLocalities: false,
    panicThreshold: 50,
    panicked,
    random: deps.random,
    ...more,
  });
  lb.update(hosts, policy);
  return { lb, panicked };
}

const priorities = (counts: number[]): UpstreamHost[] =>
  counts.flatMap((n, priority) => makeHosts(n, { priority }).map((h, i) => Object.assign(h, { address: `10.${priority}.0.${i}:80` })));
const share = (counts: Map<UpstreamHost | undefined, number>, priority: number): number =>
  [...counts].reduce((n, [host, count]) => n + (host?.priority === priority ? count : 0), 0);
const health = (healthy: number, total: number, degraded = 0, excluded = 0) => ({ healthy, total, degraded, excluded });

test("Envoy's table of two priorities: overprovisioning 140 %", () => {
  // From Envoy's documentation of priority levels: healthy share of P=0, then traffic to P=0 and P=1 with all of P=1 healthy.
  for (const [percent, p0, p1] of [
    [100, 100, 0],
    [72, 100, 0],
    [71, 99, 1],
    [50, 70, 30],
    [25, 35, 65],
    [0, 0, 100],
  ] as const) {
    assert.equal(priorityLoad([health(percent, 100), health(100, 100)], 50, 140).healthy, [p0, p1], `${percent} %`);
  }
  // Both suffer: the rest is scaled up.
  assert.equal(priorityLoad([health(25, 100), health(25, 100)], 0, 140).healthy, [50, 50]);
});

test('panic: only when all priorities together cannot take the load', () => {
  const both = priorityLoad([health(10, 100), health(100, 100)], 50, 140);
  assert.equal(both.panic, [false, false]);
  const alone = priorityLoad([health(10, 100)], 50, 140);
  assert.equal(alone.panic, [true]);
  assert.equal(priorityLoad([health(10, 100)], 0, 140).panic, [false]);
  const total = priorityLoad([health(1, 30), health(0, 10)], 50, 140);
  assert.equal(total, { healthy: [75, 25], degraded: [0, 0], panic: [true, true] });
  assert.equal(priorityLoad([health(0, 10)], 0, 140), { healthy: [100], degraded: [0], panic: [false] });
});

test('degraded hosts take what healthy ones cannot; hosts that drain do not count', () => {
  assert.equal(priorityLoad([health(50, 100, 50)], 0, 140), { healthy: [70], degraded: [30], panic: [false] });
  assert.equal(priorityLoad([health(5, 10, 0, 5)], 50, 140).panic, [false]);
});

test('a healthy first priority gets everything; what it lacks goes to the second', () => {
  const hosts = priorities([4, 4]);
  const { lb } = balancer(hosts);
  assert.is(
    share(
      tally(1000, () => lb.choose({})),
      0,
    ),
    1000,
  );
  for (const host of hosts.slice(0, 2)) host.ejected = true;
  lb.update(hosts);
  const counts = tally(10_000, () => lb.choose({}));
  assert.ok(Math.abs(share(counts, 0) - 7000) < 230, `${share(counts, 0)}`);
  assert.is(counts.get(hosts[0]!), undefined, 'an ejected host is not chosen');
});

test('panic uses all hosts, and says so; with threshold 0 there is nobody', () => {
  const hosts = makeHosts(4);
  for (const host of hosts.slice(1)) host.ejected = true;
  const { lb, panicked } = balancer(hosts);
  assert.is(tally(400, () => lb.choose({})).size, 4);
  assert.is(panicked.value, 400);
  const never = balancer(hosts, { panicThreshold: 0 });
  assert.is(tally(400, () => never.lb.choose({})).size, 1);
  hosts[0]!.ejected = true;
  never.lb.update(hosts);
  assert.is(never.lb.choose({}), undefined);
});

test('EDS health: UNHEALTHY and DRAINING hosts are left out', () => {
  const hosts = [
    ...makeHosts(1),
    ...makeHosts(1, { health: 'UNHEALTHY', address: 'a:1' }),
    ...makeHosts(1, { health: 'DRAINING', address: 'b:1' }),
  ];
  const { lb } = balancer(hosts, { panicThreshold: 0 });
  assert.equal([...tally(100, () => lb.choose({})).keys()], [hosts[0]]);
});

test('localities get their weights, less when they lose more hosts than the overprovisioning covers', () => {
  const near = makeHosts(2, { zone: 'near', localityWeight: 3 });
  const far = makeHosts(2, { zone: 'far', localityWeight: 1 }).map((h, i) => Object.assign(h, { address: `10.9.0.${i}:80` }));
  const off = makeHosts(1, { zone: 'off', address: '10.8.0.1:80' });
  const hosts = [...near, ...far, ...off];
  const { lb } = balancer(hosts, { weighLocalities: true, panicThreshold: 0 });
  const count = (zone: string): number => [...tally(4000, () => lb.choose({}))].reduce((n, [h, c]) => n + (h?.zone === zone ? c : 0), 0);
  assert.ok(Math.abs(count('near') - 3000) <= 4);
  assert.is(count('off'), 0, 'a locality without a weight gets nothing');
  near[0]!.ejected = true;
  lb.update(hosts);
  // 3 × 1.4 / 2 = 2.1 against 1.
  assert.ok(Math.abs(count('near') - (4000 * 2.1) / 3.1) <= 4, `${count('near')}`);
});

test('a retry looks for another host, so often and no more', () => {
  const hosts = makeHosts(3);
  const { lb } = balancer(hosts);
  for (let i = 0; i < 50; i++) {
    const chosen = lb.choose({ avoid: new Set(hosts.slice(0, 2)), maxReselections: 5 });
    assert.is(chosen, hosts[2]);
  }
  assert.ok(lb.choose({ avoid: new Set(hosts), maxReselections: 5 }) !== undefined, 'the last choice is taken in the end');
});

test('a retry leaves priorities that were tried, until none is left', () => {
  const hosts = priorities([2, 2]);
  const { lb } = balancer(hosts);
  assert.is(
    share(
      tally(100, () => lb.choose({ avoidPriorities: new Set([0]) })),
      1,
    ),
    100,
  );
  assert.is(
    share(
      tally(100, () => lb.choose({ avoidPriorities: new Set([0, 1]) })),
      0,
    ),
    100,
  );
});

test.run();
