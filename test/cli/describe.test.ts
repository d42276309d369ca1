/** `fairlead describe` as people and scripts use it: the built command line. */
import { stripVTControlCharacters } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Description, ResourceDescription, ServiceDescription } from '../../src/describe/types.ts';
import { descriptionText } from '../../src/output/describe/text.ts';
import { fairlead } from '../support/cli.ts';
import { withScratch } from '../support/scratch.ts';

const shop = ['-f', 'examples/shop/mesh'];
const mesh = ['-f', 'test/describe/mesh'];
const describe = (...args: string[]): ReturnType<typeof fairlead> => fairlead(['describe', ...args]);
const json = async <T extends Description>(...args: string[]): Promise<T> => JSON.parse((await describe(...args, '-o', 'json')).out) as T;

test('a service: routes with shares and lines, subsets, gateways', async () => {
  const { code, out, err } = await describe('service', 'catalog', ...shop);
  assert.is(code, 0, err);
  assert.match(out, /^catalog\.default\.svc\.cluster\.local {2}Service default\/catalog {3}examples\/shop\/mesh\/catalog\.yaml:5:9\n/);
  assert.match(
    out,
    /#1 testers: header x-tester is "yes"\s+VirtualService default\/catalog http\[0\]\.match\[0\] {2}\S+catalog\.yaml:50:7/,
  );
  assert.match(out, /to +90 % {2}catalog\.default\.svc\.cluster\.local:80 subset v1 {2}\(1 endpoint\)/);
  assert.match(out, /http:\/\/shop\.example\.com:18000\/catalog\* → catalog\.default/);
  assert.not.ok(out.includes('\u001b'));
});

test('the words of istioctl and kubectl mean the same', async () => {
  const { out } = await describe('service', 'catalog', ...shop);
  for (const words of [
    ['des', 'svc'],
    ['describe', 'svc'],
    ['x', 'describe', 'service'],
    ['des', 'service'],
  ])
    assert.is((await fairlead([...words, 'catalog', ...shop])).out, out, words.join(' '));
  const vs = await describe('virtualservice', 'storefront', ...shop);
  for (const words of [
    ['describe', 'vs'],
    ['des', 'virtualservices'],
    ['x', 'describe', 'VirtualService'],
  ])
    assert.is((await fairlead([...words, 'storefront', ...shop])).out, vs.out, words.join(' '));
});

test('a workload by its own name, its namespace, and as a resource', async () => {
  const { out, code } = await describe('workload', 'reviews-v2', ...mesh);
  assert.is(code, 0);
  assert.match(out, /mTLS {2}DISABLE\s+PeerAuthentication shop\/reviews portLevelMtls\["9090"\]\.mode\s+\S+shop\.yaml:114:36/);
  for (const args of [
    ['workload', 'reviews-v2.shop'],
    ['workloadentry', 'reviews-v2'],
    ['we', 'reviews-v2.shop'],
  ])
    assert.is((await describe(...args, ...mesh)).out, out, args.join(' '));
});

test(
  'a pod, also by what owns it',
  withScratch(async (_folder, write) => {
    const pod = write(
      'pod.yaml',
      `apiVersion: v1
kind: Pod
metadata: { name: web-6f7d4c9d8b-x2x4z, namespace: front, labels: { app: web, pod-template-hash: 6f7d4c9d8b }, ownerReferences: [{ apiVersion: apps/v1, kind: ReplicaSet, name: web-6f7d4c9d8b, uid: u }] }
spec: { containers: [{ name: c, image: i }] }
status: { podIP: 10.1.2.3, phase: Running }
`,
    );
    const { out, code, err } = await describe('pod', 'web-6f7d4c9d8b-x2x4z.front', '-f', pod);
    assert.is(code, 0, err);
    assert.match(out, /^web-6f7d4c9d8b-x2x4z\.front {2}Pod/);
    assert.match(out, /spiffe:\/\/cluster\.local\/ns\/front\/sa\/default/);
    assert.is((await describe('pod', 'web.front', '-f', pod)).out, out);
  }),
);

test('JSON and YAML have the documented fields, and --json is the same', async () => {
  const service = await json<ServiceDescription>('service', 'reviews.shop', ...mesh);
  assert.equal([service.version, service.kind, service.from], [1, 'service', 'client.shop']);
  assert.is(service.ports[0]?.routes[1]?.shadow?.by?.line, 73);
  const rule = await json<ResourceDescription>('dr', 'reviews.shop', ...mesh);
  assert.equal([rule.version, rule.kind, rule.origin.kind], [1, 'resource', 'DestinationRule']);
  assert.equal(JSON.parse((await describe('dr', 'reviews.shop', ...mesh, '--json')).out), rule);
  assert.match((await describe('dr', 'reviews.shop', ...mesh, '-o', 'yaml')).out, /^version: 1\nkind: resource\n/);
});

test('text keeps to its width, with colours and without', async () => {
  const all: Description[] = [
    await json('service', 'reviews.shop', ...mesh),
    await json('vs', 'reviews', ...mesh),
    await json('workload', 'reviews-v1', ...mesh),
    await json('gateway', 'edge', ...mesh),
  ];
  for (const description of all)
    for (const width of [80, 120, 200]) {
      const plain = descriptionText(description, { color: false, width });
      const colored = descriptionText(description, { color: true, width });
      assert.is(stripVTControlCharacters(colored), plain);
      for (const line of plain.split('\n')) assert.ok(line.length <= width || !line.trim().includes(' '), `${width}: ${line}`);
    }
});

/** Each of these is one clear error: exit code, and words that must be in it. */
const refused: [string, string[], number, RegExp][] = [
  ['an unknown service', ['service', 'catalogue', ...shop], 2, /no service catalogue[\s\S]*Did you mean catalog\.default/],
  ['a host of a gateway alone', ['service', 'shop.example.com', ...shop], 2, /no service: only VirtualServices name it/],
  ['an unknown client', ['service', 'catalog', '--from', 'nobody', ...shop], 2, /no workload nobody[\s\S]*web\.default/],
  ['an unknown workload', ['workload', 'nobody', ...shop], 2, /no workload nobody[\s\S]*web\.default/],
  ['an unknown pod', ['pod', 'web', ...shop], 2, /no pod web[\s\S]*no pod at all/],
  ['an unknown kind', ['thing', 'x', ...shop], 2, /no kind "thing"/],
  ['an unknown resource', ['vs', 'nope', ...shop], 2, /no VirtualService nope[\s\S]*storefront\.default/],
  ['no name', ['vs', ...shop], 2, /NAME/i],
  ['a folder that is not there', ['vs', 'x', '-f', 'no/such/folder'], 3, /no\/such\/folder/],
];

for (const [name, args, code, words] of refused)
  test(name, async () => {
    const ran = await describe(...args);
    assert.is(ran.code, code, ran.err);
    assert.match(ran.err, words);
    assert.is(ran.out, '');
    assert.not.match(ran.err, / at .*\.(?:js|ts):\d/);
  });

test.run();
