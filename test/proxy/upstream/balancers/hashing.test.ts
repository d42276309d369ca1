import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { maglev } from '../../../../agent/proxy/upstream/balancers/maglev.ts';
import type { PickerFactory } from '../../../../agent/proxy/upstream/balancers/picker.ts';
import { ringHash } from '../../../../agent/proxy/upstream/balancers/ring-hash.ts';
import { xxHash64 } from '../../../../src/routing/xxhash64.ts';
import { seeded } from '../harness.ts';
import { makeHosts, tally } from './hosts.ts';

const deps = { random: seeded(3), now: () => 0 };
const hash = (i: number): bigint => xxHash64(Buffer.from(`key ${i}`));
const kinds: Record<string, { make: PickerFactory; spread: number }> = {
  'ring hash': { make: ringHash(deps, { minimumSize: 16_384, maximumSize: 8_388_608, useHostname: false }), spread: 0.15 },
  maglev: { make: maglev(deps, { tableSize: 65_537, useHostname: false }), spread: 0.06 },
};

for (const [name, { make, spread }] of Object.entries(kinds)) {
  test(`${name}: the same hash goes to the same host, keys are spread evenly`, () => {
    const hosts = makeHosts(10);
    const picker = make(hosts);
    const again = make([...hosts].reverse());
    const counts = tally(20_000, (i) => {
      const host = picker.pick({ hash: hash(i) }, 0);
      assert.is(again.pick({ hash: hash(i) }, 0), host, 'the order of an update must not matter');
      return host;
    });
    for (const host of hosts) assert.ok(Math.abs(counts.get(host)! / 2000 - 1) < spread, `${host.address} ${counts.get(host)}`);
  });

  test(`${name}: shares follow weights`, () => {
    const hosts = makeHosts([1, 3]);
    const picker = make(hosts);
    const counts = tally(20_000, (i) => picker.pick({ hash: hash(i) }, 0));
    assert.ok(Math.abs(counts.get(hosts[1]!)! / 15_000 - 1) < spread);
  });

  test(`${name}: when a host leaves, hardly any key of the others moves`, () => {
    const hosts = makeHosts(10);
    const before = make(hosts);
    const after = make(hosts.slice(0, 9));
    let moved = 0;
    let kept = 0;
    for (let i = 0; i < 10_000; i++) {
      const was = before.pick({ hash: hash(i) }, 0);
      if (was === hosts[9]) continue;
      kept++;
      if (after.pick({ hash: hash(i) }, 0) !== was) moved++;
    }
    // The nine get the points of the tenth, a tenth of the ring (Envoy's rings are of one size); maglev fills its table anew, which moves
    // a few. With hash modulo number of hosts it would be nine of ten.
    assert.ok(moved / kept <= (name === 'maglev' ? 0.05 : 0.12), `${moved} of ${kept} moved`);
  });

  test(`${name}: a refused choice leads to another host; without a hash any host will do`, () => {
    const hosts = makeHosts(5);
    const picker = make(hosts);
    const seen = new Set(Array.from({ length: 40 }, (_, attempt) => picker.pick({ hash: 12345n }, attempt)));
    assert.ok(seen.size > 1);
    assert.is(tally(1000, () => picker.pick({}, 0)).size, 5);
    assert.is(make([]).pick({ hash: 1n }, 0), undefined);
  });
}

test('ring hash: the points are xxHash64 of <address>_<i>, as in Envoy', () => {
  const hosts = makeHosts(2);
  const picker = ringHash(deps, { minimumSize: 4, maximumSize: 4, useHostname: false })(hosts);
  const points = hosts
    .flatMap((host) => [0, 1].map((i) => ({ host, hash: xxHash64(Buffer.from(`${host.address}_${i}`)) })))
    .sort((a, b) => (a.hash < b.hash ? -1 : 1));
  for (const [i, point] of points.entries()) {
    assert.is(picker.pick({ hash: point.hash }, 0), point.host);
    assert.is(picker.pick({ hash: point.hash + 1n }, 0), points[(i + 1) % points.length]!.host);
  }
});

test('hosts are hashed by their metadata or their name where that is asked for', () => {
  const [a] = makeHosts(1, { hostname: 'a.test' });
  const [b] = makeHosts(1, { metadata: { 'envoy.lb': { hash_key: 'k' } } });
  const one = ringHash(deps, { minimumSize: 8, maximumSize: 8, useHostname: true })([a!, b!]);
  const point = xxHash64(Buffer.from('a.test_0'));
  assert.is(one.pick({ hash: point }, 0), a);
  assert.is(one.pick({ hash: xxHash64(Buffer.from('k_0')) }, 0), b);
});

test.run();
