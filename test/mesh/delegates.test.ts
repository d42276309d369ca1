import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { HTTPRoute } from '../../src/config/kinds/networking.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { formatPath } from '../../src/config/resource.ts';
import { mergeMatches } from '../../src/mesh/delegate-matches.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { doc, meshOf, rulesOf, scopeIn } from './fixture.ts';

const services =
  doc('Service', 'web', 'spec: {ports: [{name: http, port: 80}]}') + doc('Service', 'web.team', 'spec: {ports: [{name: http, port: 80}]}');
const root = (http: string): string => doc('VirtualService', 'root', `spec:\n  hosts: [shop.example.com]\n  http:\n${http}`);
const delegate = (name: string, http: string, more = ''): string => doc('VirtualService', name, `spec:\n${more}  http:\n${http}`);
const routes = async (text: string): Promise<readonly HTTPRoute[]> =>
  scopeIn(await meshOf(services + text)).virtualServices[0]?.spec.http ?? [];

test("a delegate's routes take the place of the route that names it, and short names are of their own namespace", async () => {
  const mesh = await meshOf(
    services +
      root(
        '  - {match: [{uri: {prefix: /a}}], delegate: {name: d, namespace: team}}\n  - {name: last, route: [{destination: {host: web}}]}\n',
      ) +
      delegate(
        'd.team',
        '  - {name: one, match: [{uri: {prefix: /a/1}}], route: [{destination: {host: web}}]}\n  - {route: [{destination: {host: web}}]}\n',
      ),
  );
  const [view] = scopeIn(mesh).virtualServices;
  assert.equal(
    view?.spec.http?.map((r) => [r.name, r.match?.map((m) => m.uri?.prefix), r.route?.[0]?.destination.host]),
    [
      ['one', ['/a/1'], 'web.team.svc.cluster.local'],
      [undefined, ['/a'], 'web.team.svc.cluster.local'],
      ['last', undefined, 'web'],
    ],
  );
  assert.equal(
    view?.httpOrigins.map((o) => [
      o.resource.metadata.name,
      formatPath(o.path),
      o.matches?.map((m) => `${m.resource.metadata.name} ${formatPath(m.path)}`),
    ]),
    [
      ['d', 'spec.http[0]', ['d spec.http[0].match[0]']],
      ['d', 'spec.http[1]', ['root spec.http[0].match[0]']],
      ['root', 'spec.http[1]', undefined],
    ],
  );
  assert.is(scopeIn(mesh).virtualServices.length, 1, 'a delegate routes nothing by itself');
  assert.equal(rulesOf(mesh), []);
});

test('names are joined, the namespace defaults to the root’s, and the delegate has the first say', async () => {
  const [route] = await routes(
    root(
      '  - {name: r, match: [{name: m, headers: {x: {exact: "1"}}}], delegate: {name: d}, timeout: 5s, retries: {attempts: 1}, headers: {request: {set: {a: b}}}}\n',
    ) +
      delegate(
        'd',
        '  - {name: own, match: [{name: two, headers: {q: {exact: "2"}}, queryParams: {p: {exact: "3"}}}], timeout: 1s, route: [{destination: {host: web}}]}\n',
      ),
  );
  assert.is(route?.name, 'r-own');
  assert.equal(route?.match, [{ name: 'm-two', headers: { x: { exact: '1' }, q: { exact: '2' } }, queryParams: { p: { exact: '3' } } }]);
  assert.is(route?.timeout, '1s');
  assert.is(route?.retries?.attempts, 1);
  assert.equal(route?.headers?.request?.set, { a: 'b' });
  assert.is(route?.delegate, undefined);
});

const dropped: [what: string, root: string, delegates: string, rule: string][] = [
  ['is missing', '  - delegate: {name: gone}\n', '', 'delegate/missing VirtualService default/root spec.http[0].delegate'],
  [
    'is not exported',
    '  - delegate: {name: d, namespace: team}\n',
    delegate('d.team', '  - route: [{destination: {host: web}}]\n', '  exportTo: ["."]\n'),
    'delegate/not-exported VirtualService default/root spec.http[0].delegate',
  ],
  [
    'conflicts',
    '  - {match: [{uri: {prefix: /a}}], delegate: {name: d}}\n',
    delegate('d', '  - {match: [{uri: {prefix: /a/b}}, {uri: {prefix: /b}}], route: [{destination: {host: web}}]}\n'),
    'delegate/conflict VirtualService default/d spec.http[0].match',
  ],
];

for (const [what, http, delegates, rule] of dropped) {
  test(`a route whose delegate ${what} is dropped and reported; the others stay`, async () => {
    const mesh = await meshOf(services + root(`${http}  - {name: stays, route: [{destination: {host: web}}]}\n`) + delegates);
    assert.equal(
      scopeIn(mesh).virtualServices[0]?.spec.http?.map((r) => r.name),
      ['stays'],
    );
    assert.equal(rulesOf(mesh), [rule]);
  });
}

test('a delegate of a delegate is dropped and reported, should validation be passed by', async () => {
  const { resources } = await parseConfig(
    services +
      root('  - delegate: {name: d}\n') +
      delegate('d', '  - delegate: {name: e}\n  - {name: stays, route: [{destination: {host: web}}]}\n') +
      delegate('e', '  - route: [{destination: {host: web}}]\n'),
    'test.yaml',
  );
  const mesh = buildMesh(resources);
  assert.equal(
    scopeIn(mesh).virtualServices[0]?.spec.http?.map((r) => r.name),
    ['stays'],
  );
  assert.equal(rulesOf(mesh), ['delegate/nested VirtualService default/d spec.http[0].delegate']);
});

test('one delegate may serve several roots, each with its own matches', async () => {
  const mesh = await meshOf(
    services +
      doc('VirtualService', 'a', 'spec:\n  hosts: [a.example.com]\n  http: [{match: [{uri: {prefix: /a}}], delegate: {name: d}}]') +
      doc('VirtualService', 'b', 'spec:\n  hosts: [b.example.com]\n  http: [{match: [{uri: {prefix: /b}}], delegate: {name: d}}]') +
      delegate('d', '  - route: [{destination: {host: web}}]\n'),
  );
  assert.equal(
    scopeIn(mesh).virtualServices.map((v) => v.spec.http?.[0]?.match?.[0]?.uri?.prefix),
    ['/a', '/b'],
  );
});

type Match = NonNullable<HTTPRoute['match']>[number];
const pairs: [what: string, root: Match, delegate: Match, fits: boolean][] = [
  ['nothing in common', { method: { exact: 'GET' } }, { uri: { prefix: '/a' } }, true],
  ['regex at the root', { uri: { regex: '/a.*' } }, { uri: { exact: '/a' } }, false],
  ['regex at the delegate', { uri: { prefix: '/a' } }, { uri: { regex: '/a' } }, false],
  ['exact and the same', { uri: { exact: '/a' } }, { uri: { exact: '/a' } }, true],
  ['exact and another', { uri: { exact: '/a' } }, { uri: { exact: '/a/b' } }, false],
  ['exact and prefix', { uri: { exact: '/a' } }, { uri: { prefix: '/a' } }, false],
  ['prefix and longer prefix', { uri: { prefix: '/a' } }, { uri: { prefix: '/a/b' } }, true],
  ['prefix and shorter prefix', { uri: { prefix: '/a/b' } }, { uri: { prefix: '/a' } }, false],
  ['prefix and exact inside', { uri: { prefix: '/a' } }, { uri: { exact: '/a/b' } }, true],
  ['prefix and exact outside', { uri: { prefix: '/a' } }, { uri: { exact: '/b' } }, false],
  ['presence at the root', { headers: { x: {} } }, { headers: { x: { exact: '1' } } }, false],
  ['other headers', { headers: { x: { exact: '1' } } }, { headers: { z: { exact: '1' } } }, true],
  ['same header, other value', { headers: { x: { exact: '1' } } }, { headers: { x: { exact: '2' } } }, false],
  ['same query, other value', { queryParams: { x: { exact: '1' } } }, { queryParams: { x: { exact: '2' } } }, false],
  ['scheme', { scheme: { exact: 'http' } }, { scheme: { exact: 'https' } }, false],
  ['method', { method: { exact: 'GET' } }, { method: { exact: 'POST' } }, false],
  ['authority', { authority: { prefix: 'a' } }, { authority: { prefix: 'b' } }, false],
  ['case', { ignoreUriCase: true }, {}, false],
  ['ports', { port: 80 }, { port: 81 }, false],
  ['one port', { port: 80 }, {}, true],
  ['source namespaces', { sourceNamespace: 'a' }, { sourceNamespace: 'b' }, false],
  ['same label, other value', { sourceLabels: { a: '1' } }, { sourceLabels: { a: '2' } }, false],
  ['other labels', { sourceLabels: { a: '1' } }, { sourceLabels: { b: '2' } }, true],
  ['gateways outside', { gateways: ['ns/a'] }, { gateways: ['ns/b'] }, false],
  ['gateways inside', { gateways: ['ns/a', 'ns/b'] }, { gateways: ['ns/b'] }, true],
  ['gateways of the root only', { gateways: ['ns/a'] }, {}, true],
];

for (const [what, from, own, fits] of pairs) {
  test(`matches ${fits ? 'fit' : 'conflict'}: ${what}`, () => {
    assert.is(mergeMatches([from], [own]) !== undefined, fits);
  });
}

test('the result is every pair that fits, in the order of the delegate', () => {
  const merged = mergeMatches(
    [{ method: { exact: 'GET' } }, { uri: { prefix: '/a' } }],
    [{ uri: { prefix: '/b' } }, { uri: { prefix: '/a/1' } }],
  );
  assert.equal(
    merged?.map((m) => m.match),
    [
      { method: { exact: 'GET' }, uri: { prefix: '/b' } },
      { method: { exact: 'GET' }, uri: { prefix: '/a/1' } },
      { uri: { prefix: '/a/1' } },
    ],
  );
});

test('without matches on one side the other side’s hold', () => {
  assert.equal(
    mergeMatches([], [{ port: 1 }])?.map((m) => m.match),
    [{ port: 1 }],
  );
  assert.equal(
    mergeMatches([{ port: 1 }], [])?.map((m) => m.match),
    [{ port: 1 }],
  );
  assert.equal(mergeMatches([], []), []);
});

test.run();
