import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { get, viewOf } from './view.ts';

const shop = ['examples/shop/mesh'];

test('a split is told as shares that add up', async () => {
  const told = get(await viewOf(shop, 'web'), 'http://catalog/');
  assert.equal(
    told.outcomes.map((o) => [o.type, o.share, o.destination?.subset]),
    [
      ['forward', 0.9, 'v1'],
      ['forward', 0.1, 'v2'],
    ],
  );
  assert.not(told.decidable);
  assert.equal(told.dependsOn[0]?.on, 'chance');
});

test('one condition that fails on one value is told as the nearest miss', async () => {
  const view = await viewOf(shop, 'web');
  const near = get(view, 'http://catalog/', { headers: [['x-user', 'Tester']] }).nearMisses[0];
  assert.ok(near?.decisive, JSON.stringify(near));
});

test('a gateway that has no such host says so', async () => {
  const told = get(await viewOf(shop, 'ingressgateway'), 'http://shop.example.org:18000/');
  assert.is(told.outcomes[0]?.type, 'no-route');
  assert.is(told.outcomes[0]?.status, 404);
  assert.ok(told.decidable);
  assert.match(told.nearMisses[0]?.message ?? '', /shop\.example\.com/);
});

test.run();
