import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatPath } from '../../src/config/resource.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import { doc, meshOf, rulesOf, scopeIn, serviceOf } from './fixture.ts';

const host = 'web.shop.svc.cluster.local';
const svc = doc('Service', 'web.shop', 'spec: {ports: [{name: http, port: 80}]}');
const dr = (name: string, spec: string, created = ''): string =>
  doc('DestinationRule', name, `spec:\n${spec.replace(/^/gm, '  ')}`, created && `creationTimestamp: "${created}"`);
const ruleOf = (mesh: Mesh, namespace: string, labels = {}, direction?: 'inbound'): string | undefined => {
  const { metadata } = scopeIn(mesh, namespace, labels).destinationRule(serviceOf(mesh, host), direction)?.resource ?? {};
  return metadata && `${metadata.namespace}/${metadata.name}`;
};
const full = `host: ${host}`;

test("the proxy's namespace comes first, then the service's, then the root's", async () => {
  const mesh = await meshOf(svc + dr('a.client', full) + dr('b.shop', 'host: web') + dr('c.istio-system', 'host: "*.cluster.local"'));
  assert.is(ruleOf(mesh, 'client'), 'client/a');
  assert.is(ruleOf(mesh, 'other'), 'shop/b');
  assert.is(ruleOf(mesh, 'istio-system'), 'shop/b', 'rules of the root namespace come last even for its own proxies');
  assert.is(ruleOf(await meshOf(svc + dr('c.istio-system', 'host: "*.cluster.local"')), 'other'), 'istio-system/c');
});

test('a rule of a third namespace is ignored, and a short host is of the rule’s namespace', async () => {
  assert.is(ruleOf(await meshOf(svc + dr('a.third', full)), 'other'), undefined);
  assert.is(ruleOf(await meshOf(svc + dr('a.third', 'host: web')), 'third'), undefined);
});

test('rules that are not exported to the proxy are not used', async () => {
  const mesh = await meshOf(svc + dr('b.shop', 'host: web\nexportTo: ["."]') + dr('c.istio-system', `${full}\nexportTo: [client]`));
  assert.is(ruleOf(mesh, 'shop'), 'shop/b');
  assert.is(ruleOf(mesh, 'client'), 'istio-system/c');
  assert.is(ruleOf(mesh, 'other'), undefined);
});

test('the most specific host wins within a namespace', async () => {
  const mesh = await meshOf(
    svc +
      dr('a.client', 'host: "*.cluster.local"') +
      dr('b.client', 'host: "*.shop.svc.cluster.local"') +
      dr('c.client', 'host: "*.other.svc.cluster.local"'),
  );
  assert.is(ruleOf(mesh, 'client'), 'client/b');
});

test('a rule for some workloads comes before a plain one, for them, outbound, and in its own namespace only', async () => {
  const mesh = await meshOf(
    svc +
      dr('a.client', full) +
      dr('b.client', `${full}\nworkloadSelector: {matchLabels: {app: x}}`) +
      dr('s.shop', `host: web\nworkloadSelector: {matchLabels: {app: x}}`),
  );
  assert.is(ruleOf(mesh, 'client', { app: 'x' }), 'client/b');
  assert.is(ruleOf(mesh, 'client', { app: 'z' }), 'client/a');
  assert.is(ruleOf(mesh, 'client', { app: 'x' }, 'inbound'), 'client/a');
  assert.is(ruleOf(mesh, 'other', { app: 'x' }), undefined);
});

const old = '2020-01-01T00:00:00Z';
const young = '2021-01-01T00:00:00Z';

test('rules of one host merge: the policy of the oldest, the subsets of all, the first of a name', async () => {
  const mesh = await meshOf(
    svc +
      dr(
        'a.shop',
        `host: web\ntrafficPolicy: {loadBalancer: {simple: RANDOM}}\nsubsets: [{name: v1, labels: {v: young}}, {name: v2, labels: {v: "2"}}]`,
        young,
      ) +
      dr('z.shop', `${full}\ntrafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}\nsubsets: [{name: v1, labels: {v: old}}]`, old),
  );
  const rule = scopeIn(mesh, 'other').destinationRule(serviceOf(mesh, host));
  assert.is(rule?.resource.metadata.name, 'z');
  assert.is(rule?.spec.trafficPolicy?.loadBalancer?.simple, 'ROUND_ROBIN');
  assert.equal(
    rule?.spec.subsets?.map((s, i) => [
      s.name,
      s.labels?.['v'],
      rule.subsetOrigins[i]?.resource.metadata.name,
      formatPath(rule.subsetOrigins[i]?.path ?? []),
    ]),
    [
      ['v1', 'old', 'z', 'spec.subsets[0]'],
      ['v2', '2', 'a', 'spec.subsets[1]'],
    ],
  );
  assert.equal(rulesOf(mesh).sort(), [
    'destination-rule/duplicate-subset DestinationRule shop/a spec.subsets[0]',
    'destination-rule/policy-ignored DestinationRule shop/a spec.trafficPolicy',
  ]);
});

test('an oldest rule without a policy takes the one of the next', async () => {
  const mesh = await meshOf(
    svc +
      dr('a.shop', 'host: web\nsubsets: [{name: v1}]', old) +
      dr('b.shop', 'host: web\ntrafficPolicy: {loadBalancer: {simple: RANDOM}}', young),
  );
  const rule = scopeIn(mesh, 'other').destinationRule(serviceOf(mesh, host));
  assert.is(rule?.spec.trafficPolicy?.loadBalancer?.simple, 'RANDOM');
  assert.is(rule?.resource.metadata.name, 'a');
});

test('rules with different exportTo do not merge', async () => {
  const mesh = await meshOf(
    svc + dr('a.shop', 'host: web\nexportTo: [x]\nsubsets: [{name: v1}]') + dr('b.shop', 'host: web\nsubsets: [{name: v2}]'),
  );
  const names = (namespace: string): string[] | undefined =>
    scopeIn(mesh, namespace)
      .destinationRule(serviceOf(mesh, host))
      ?.spec.subsets?.map((s) => s.name);
  assert.equal(names('x'), ['v1']);
  assert.equal(names('other'), ['v2']);
});

test.run();
