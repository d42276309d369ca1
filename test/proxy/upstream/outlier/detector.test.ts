import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { OutlierDetectionJson } from '#envoy-api/envoy/config/cluster/v3/outlier_detection_pb.js';
import { createStatsRegistry } from '../../../../agent/proxy/stats/registry.ts';
import { createClusterStats } from '../../../../agent/proxy/upstream/cluster-stats.ts';
import type { UpstreamHost } from '../../../../agent/proxy/upstream/host.ts';
import { OutlierDetector } from '../../../../agent/proxy/upstream/outlier/detector.ts';
import { outlierConfig } from '../../../../src/upstream/outlier-config.ts';
import { makeHosts } from '../balancers/hosts.ts';

function setUp(json: OutlierDetectionJson, count: number, random: () => number = () => 0) {
  const stats = createClusterStats(createStatsRegistry(), 'c');
  const clock = { now: 1000 };
  const changed: UpstreamHost[] = [];
  const config = outlierConfig(json);
  const detector = new OutlierDetector(config, { stats, now: () => clock.now, random, changed: (h) => changed.push(h) });
  const hosts = makeHosts(count);
  for (const host of hosts) detector.add(host);
  const stat = (name: string): number => stats.counter(`outlier_detection.ejections_${name}`).value;
  const active = (): number => stats.gauge('outlier_detection.ejections_active').value;
  /** Time passes, and an interval ends. */
  const pass = (ms: number): void => {
    clock.now += ms;
    detector.onInterval();
  };
  const answer = (host: UpstreamHost | undefined, ...statuses: number[]): void => {
    for (const status of statuses) host!.monitor!.response(status);
  };
  return { detector, hosts, stat, active, pass, answer, changed, clock };
}

const all = { maxEjectionPercent: 100, enforcingSuccessRate: 0 };

test('so many 5xx in a row eject; a good answer between them does not let it come to that', () => {
  const { hosts, stat, active, answer, changed } = setUp({ ...all, consecutive5xx: 3 }, 4);
  answer(hosts[0], 500, 500, 200, 500, 500);
  assert.is(hosts[0]!.ejected, false);
  answer(hosts[0], 503);
  assert.is(hosts[0]!.ejected, true);
  assert.equal(changed, [hosts[0]]);
  assert.is(active(), 1);
  for (const name of ['detected_consecutive_5xx', 'enforced_consecutive_5xx', 'enforced_total', 'consecutive_5xx', 'total'])
    assert.is(stat(name), 1, name);
});

test('gateway failures are 502, 503 and 504; enforced only where that is asked for', () => {
  const quiet = setUp({ ...all, consecutive5xx: 100, consecutiveGatewayFailure: 2 }, 2);
  quiet.answer(quiet.hosts[0], 502, 504);
  assert.is(quiet.hosts[0]!.ejected, false);
  assert.is(quiet.stat('detected_consecutive_gateway_failure'), 1);
  const strict = setUp({ ...all, consecutive5xx: 100, consecutiveGatewayFailure: 2, enforcingConsecutiveGatewayFailure: 100 }, 2);
  strict.answer(strict.hosts[0], 503, 500, 503);
  assert.is(strict.hosts[0]!.ejected, false, '500 is not a gateway failure');
  strict.answer(strict.hosts[0], 503);
  assert.is(strict.hosts[0]!.ejected, true);
});

test('a threshold of 0 never ejects', () => {
  const { hosts, answer } = setUp({ ...all, consecutive5xx: 0, enforcingConsecutive5xx: 0 }, 2);
  answer(hosts[0], ...new Array(50).fill(500));
  assert.is(hosts[0]!.ejected, false);
});

test('an ejection lasts base time times ejections, and the count falls again in healthy times', () => {
  const { hosts, active, answer, pass } = setUp(
    { ...all, consecutive5xx: 1, interval: '1s', baseEjectionTime: '10s', maxEjectionTime: '25s' },
    2,
  );
  const lasted = (): number => {
    answer(hosts[0], 500);
    assert.is(hosts[0]!.ejected, true);
    let seconds = 0;
    for (; hosts[0]!.ejected && seconds < 100; seconds++) pass(1000);
    return seconds;
  };
  assert.equal([lasted(), lasted(), lasted(), lasted()], [10, 20, 25, 25]);
  assert.is(active(), 0);
  for (let i = 0; i < 60; i++) pass(1000);
  assert.is(lasted(), 10);
});

test('jitter makes it longer by a random part', () => {
  const { hosts, answer, pass } = setUp(
    { ...all, consecutive5xx: 1, interval: '1s', baseEjectionTime: '10s', maxEjectionTimeJitter: '5s' },
    2,
    () => 0.9,
  );
  answer(hosts[0], 500);
  pass(14_000);
  assert.is(hosts[0]!.ejected, true);
  pass(1000);
  assert.is(hosts[0]!.ejected, false);
});

test('no more than max_ejection_percent; one host only when that is said', () => {
  const tenPercent = setUp({ consecutive5xx: 1 }, 4);
  tenPercent.answer(tenPercent.hosts[0], 500);
  assert.is(tenPercent.hosts[0]!.ejected, false);
  assert.is(tenPercent.stat('overflow'), 1);
  const one = setUp({ consecutive5xx: 1, alwaysEjectOneHost: true }, 4);
  one.answer(one.hosts[0], 500);
  one.answer(one.hosts[1], 500);
  assert.equal(
    one.hosts.map((h) => h.ejected),
    [true, false, false, false],
  );
  const half = setUp({ consecutive5xx: 1, maxEjectionPercent: 50 }, 4);
  for (const host of half.hosts) half.answer(host, 500);
  assert.equal(
    half.hosts.map((h) => h.ejected),
    [true, true, false, false],
  );
});

test('enforcing is a percentage', () => {
  const rolls = [0.99, 0.1];
  const { hosts, answer, stat } = setUp({ ...all, consecutive5xx: 1, enforcingConsecutive5xx: 50 }, 4, () => rolls.shift() ?? 0);
  answer(hosts[0], 500);
  assert.is(hosts[0]!.ejected, false);
  answer(hosts[1], 500);
  assert.is(hosts[1]!.ejected, true);
  assert.is(stat('detected_consecutive_5xx'), 2);
  assert.is(stat('enforced_consecutive_5xx'), 1);
});

test('local failures count as 503 and 504, or apart when they are split', () => {
  const together = setUp({ ...all, consecutive5xx: 2 }, 2);
  together.hosts[0]!.monitor!.localFailure(503);
  together.hosts[0]!.monitor!.connected();
  together.hosts[0]!.monitor!.localFailure(504);
  assert.is(together.hosts[0]!.ejected, true);
  const split = setUp({ ...all, consecutive5xx: 1, splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailure: 2 }, 2);
  split.hosts[0]!.monitor!.localFailure(503);
  split.hosts[0]!.monitor!.connected();
  split.hosts[0]!.monitor!.localFailure(503);
  assert.is(split.hosts[0]!.ejected, false);
  split.hosts[0]!.monitor!.localFailure(503);
  assert.is(split.hosts[0]!.ejected, true);
  assert.is(split.stat('enforced_consecutive_local_origin_failure'), 1);
});

test("success rate: a host far below the mean is out; Envoy's example has 52 as its threshold", () => {
  const { detector, hosts, stat, answer, pass } = setUp(
    { maxEjectionPercent: 100, consecutive5xx: 1000, consecutiveGatewayFailure: 1000, successRateRequestVolume: 100 },
    5,
  );
  for (const host of hosts) for (let i = 0; i < 100; i++) answer(host, host === hosts[0] && i % 2 === 0 ? 500 : 200);
  pass(10_000);
  assert.is(detector.external.average, 90);
  assert.ok(Math.abs(detector.external.threshold - 52) < 1e-9);
  assert.equal(
    hosts.map((h) => h.ejected),
    [true, false, false, false, false],
  );
  assert.is(stat('enforced_success_rate'), 1);
  assert.is(hosts[1]!.monitor!.external.shown, 100);
});

test('success rate needs enough hosts with enough requests', () => {
  const { detector, hosts, answer, pass } = setUp({ maxEjectionPercent: 100, consecutive5xx: 1000, successRateRequestVolume: 100 }, 5);
  for (const host of hosts) for (let i = 0; i < (host === hosts[1] ? 99 : 100); i++) answer(host, host === hosts[0] ? 500 : 200);
  pass(10_000);
  assert.is(detector.external.average, -1);
  assert.ok(hosts.every((h) => !h.ejected));
});

test('failure percentage', () => {
  const { hosts, stat, answer, pass } = setUp(
    {
      ...all,
      consecutive5xx: 1000,
      consecutiveGatewayFailure: 1000,
      enforcingFailurePercentage: 100,
      failurePercentageThreshold: 40,
      failurePercentageMinimumHosts: 2,
      failurePercentageRequestVolume: 10,
    },
    3,
  );
  for (let i = 0; i < 10; i++) {
    answer(hosts[0], i < 4 ? 500 : 200);
    answer(hosts[1], i < 3 ? 500 : 200);
  }
  pass(10_000);
  assert.equal(
    hosts.map((h) => h.ejected),
    [true, false, false],
  );
  assert.is(stat('enforced_failure_percentage'), 1);
});

test('a host that leaves takes its ejection with it', () => {
  const { detector, hosts, active, answer } = setUp({ ...all, consecutive5xx: 1 }, 2);
  answer(hosts[0], 500);
  assert.is(active(), 1);
  detector.remove(hosts[0]!);
  assert.is(active(), 0);
  answer(hosts[0], 500, 500);
  assert.is(active(), 0);
});

test.run();
