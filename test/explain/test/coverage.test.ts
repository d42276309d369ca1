/** Coverage: matches one by one, destinations by what tests say of them, delegates, policies. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runMeshTests, services } from './mesh-tests.ts';

const mesh = `${services('reviews', 'ratings')}---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http:
  - name: two
    match: [{ uri: { prefix: /a } }, { headers: { end-user: { exact: jason } } }]
    route: [{ destination: { host: reviews, subset: v2 } }]
  - match: [{ uri: { prefix: /parts } }]
    delegate: { name: parts }
  - route: [{ destination: { host: reviews, subset: v1 }, weight: 90 }, { destination: { host: ratings }, weight: 10 }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: parts }
spec:
  http:
  - match: [{ uri: { prefix: /parts/x } }]
    route: [{ destination: { host: ratings, subset: v1 } }]
  - route: [{ destination: { host: ratings, subset: v2 } }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: closed }
spec: {}
`;

const names = (tests: string): Promise<string[]> =>
  runMeshTests(mesh, tests).then(({ coverage, problems }) => {
    assert.equal(problems, []);
    return coverage.untested.map(({ resource, line }) => `${resource.replace('VirtualService default/', '')}@${line}`);
  });
const ALL = [
  'reviews http[0].match[0]',
  'reviews http[0].match[1]',
  'reviews http[0].route[0]',
  'reviews http[1].match[0]',
  'reviews http[2]',
  'reviews http[2].route[0]',
  'reviews http[2].route[1]',
  'parts http[0].match[0]',
  'parts http[0].route[0]',
  'parts http[1].route[0]',
  'AuthorizationPolicy default/closed',
];
const plain = (units: readonly string[]): string[] => units.map((unit) => unit.replace(/@\d+$/, ''));

test('all that there is, when the one test fails', async () => {
  const untested = await names('tests: [{ name: x, hosts: reviews, expect: { route: nothing } }]');
  assert.equal(plain(untested).sort(), [...ALL].sort());
  // Each has its own line, in order.
  const lines = untested.map((unit) => Number(/@(\d+)$/.exec(unit)![1]));
  assert.equal(
    lines,
    [...lines].sort((a, b) => a - b),
  );
});

test('a match is covered by a request that it took; a destination only when the test says where requests go', async () => {
  const untested = plain(await names('tests: [{ name: x, hosts: reviews, paths: /a, expect: { route: two } }]'));
  assert.not.ok(untested.includes('reviews http[0].match[0]'));
  assert.ok(untested.includes('reviews http[0].match[1]'));
  assert.ok(untested.includes('reviews http[0].route[0]'));
  const said = plain(await names('tests: [{ name: x, hosts: reviews, headers: { end-user: jason }, expect: { destination: reviews } }]'));
  assert.equal(
    ALL.filter((unit) => !said.includes(unit)),
    ['reviews http[0].match[1]', 'reviews http[0].route[0]'],
  );
});

test('both parts of a split, and the routes of a delegate', async () => {
  const untested = plain(
    await names(`tests:
- { name: split, hosts: reviews, expect: { split: [{ host: reviews, weight: 9 }, { host: ratings, weight: 1 }] } }
- { name: x, hosts: reviews, paths: /parts/x, expect: { destination: { host: ratings, subset: v1 } } }
- { name: rest, hosts: reviews, paths: /parts, expect: { destination: { host: ratings, subset: v2 } } }
- { name: two, hosts: reviews, paths: [/a], expect: { destination: reviews } }
- { name: jason, hosts: reviews, headers: { end-user: jason }, expect: { destination: reviews } }
`),
  );
  assert.equal(untested, ['AuthorizationPolicy default/closed']);
});

test('a mesh without routes and policies has nothing left to test', async () => {
  const { coverage } = await runMeshTests(services('reviews'), 'tests: [{ name: x, hosts: reviews, expect: { destination: reviews } }]');
  assert.is(coverage.percent, 100);
  assert.equal(coverage.untested, []);
});

test.run();
