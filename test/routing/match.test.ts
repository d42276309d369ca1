import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import { compileRouteConfiguration } from '../../src/routing/compile.ts';
import { match } from '../../src/routing/match.ts';
import { RouteRequest } from '../../src/routing/request.ts';

function compiled(json: RouteConfigurationJson) {
  const { value, problems } = compileRouteConfiguration(json);
  assert.equal(problems, []);
  return value!;
}

const request = (path: string, headers: string[] = [], more: { authority?: string; method?: string; scheme?: string } = {}): RouteRequest =>
  new RouteRequest({ method: 'GET', scheme: 'http', authority: 'h', ...more, path, headers });

const direct = (name: string, matches: object) => ({ name, match: matches, directResponse: { status: 200 } });
const exact = (name: string, value: string, more: object = {}) => ({ headers: [{ name, stringMatch: { exact: value }, ...more }] });

/** As Envoy 1.40 answered the same requests under the same routes. */
const routes = [
  direct('eq-a', { prefix: '/hx', ...exact('x', 'a') }),
  direct('none', { prefix: '/hx' }),
  direct('inv-a', { prefix: '/inv', ...exact('x', 'a', { invertMatch: true }) }),
  direct('inv-none', { prefix: '/inv' }),
  direct('tinv-a', { prefix: '/tinv', ...exact('x', 'a', { invertMatch: true, treatMissingHeaderAsEmpty: true }) }),
  direct('tinv-none', { prefix: '/tinv' }),
  direct('te', { prefix: '/te', headers: [{ name: 'x', stringMatch: { safeRegex: { regex: '.*' } }, treatMissingHeaderAsEmpty: true }] }),
  direct('te-none', { prefix: '/te' }),
  direct('pinv', { prefix: '/pinv', headers: [{ name: 'x', presentMatch: true, invertMatch: true }] }),
  direct('pinv-none', { prefix: '/pinv' }),
  direct('pf', { prefix: '/pf', headers: [{ name: 'x', presentMatch: false }] }),
  direct('pf-none', { prefix: '/pf' }),
  direct('tpres', { prefix: '/tpres', headers: [{ name: 'x', presentMatch: true, treatMissingHeaderAsEmpty: true }] }),
  direct('tpres-none', { prefix: '/tpres' }),
  direct('range', { prefix: '/range', headers: [{ name: 'x', rangeMatch: { start: '-5', end: '10' } }] }),
  direct('range-none', { prefix: '/range' }),
  direct('rinv', { prefix: '/rinv', headers: [{ name: 'x', rangeMatch: { start: '-5', end: '10' }, invertMatch: true }] }),
  direct('rinv-none', { prefix: '/rinv' }),
  direct('ab', { prefix: '/joined', ...exact('x', 'a,b') }),
  direct('joined-none', { prefix: '/joined' }),
  direct('ua', { prefix: '/ua', ...exact('user-agent', 'a,b') }),
  direct('ua-any', { prefix: '/ua', ...exact('user-agent', 'a') }),
  direct('cookie', { prefix: '/cookie', ...exact('cookie', 'a') }),
  direct('auth', { prefix: '/auth', ...exact(':authority', 'h') }),
  direct('host', { prefix: '/host', ...exact('host', 'h') }),
  direct('q-first', { prefix: '/q', queryParameters: [{ name: 'k', stringMatch: { exact: '1' } }] }),
  direct('q-empty', { prefix: '/q', queryParameters: [{ name: 'k', stringMatch: { exact: '' } }] }),
  direct('q-pct', { prefix: '/q', queryParameters: [{ name: 'k', stringMatch: { exact: '%20' } }] }),
  direct('q-decoded', { prefix: '/q', queryParameters: [{ name: 'k', stringMatch: { exact: ' ' } }] }),
  direct('q-pres', { prefix: '/q', queryParameters: [{ name: 'k', presentMatch: true }] }),
  direct('q-absent', { prefix: '/q', queryParameters: [{ name: 'z', presentMatch: false }] }),
  direct('q-name-only', { prefix: '/q', queryParameters: [{ name: 'z' }] }),
  direct('grpc', { prefix: '/grpc', grpc: {} }),
  direct('nogrpc', { prefix: '/grpc' }),
  direct('sep', { pathSeparatedPrefix: '/sep/x' }),
  direct('sepcase', { pathSeparatedPrefix: '/Se', caseSensitive: false }),
  direct('rx', { safeRegex: { regex: '/rx/a|/rx/b' } }),
  direct('rxdot', { safeRegex: { regex: '/rx.dot' } }),
  direct('exact', { path: '/exact' }),
  direct('exacti', { path: '/EXacti', caseSensitive: false }),
  direct('pfx', { prefix: '/PFX', caseSensitive: false }),
  direct('query-in-prefix', { prefix: '/pq?x' }),
  direct('rest', { prefix: '/' }),
];
const config = compiled({ virtualHosts: [{ name: 'v', domains: ['*'], routes }] });
const nameOf = (r: RouteRequest): string => match(config, r).route?.name ?? 'not-found';

test('header conditions answer as Envoy does, line by line', () => {
  const paths = ['/hx', '/inv', '/tinv', '/te', '/pinv', '/pf', '/tpres', '/range', '/rinv', '/joined'];
  const rows: [string[], string][] = [
    [[], 'none inv-none tinv-a te pinv pf tpres range-none rinv-none joined-none'],
    [['a'], 'eq-a inv-none tinv-none te pinv-none pf-none tpres range-none rinv joined-none'],
    [['b'], 'none inv-a tinv-a te pinv-none pf-none tpres range-none rinv joined-none'],
    [[''], 'none inv-a tinv-a te pinv-none pf-none tpres range-none rinv joined-none'],
    [['a', 'b'], 'eq-a inv-none tinv-none te pinv-none pf-none tpres range-none rinv joined-none'],
    [['b', 'a'], 'eq-a inv-none tinv-none te pinv-none pf-none tpres range-none rinv joined-none'],
    [['a,b'], 'none inv-a tinv-a te pinv-none pf-none tpres range-none rinv ab'],
    [['5'], 'none inv-a tinv-a te pinv-none pf-none tpres range rinv-none joined-none'],
    [['-5'], 'none inv-a tinv-a te pinv-none pf-none tpres range rinv-none joined-none'],
    [['10'], 'none inv-a tinv-a te pinv-none pf-none tpres range-none rinv joined-none'],
    [['5.0'], 'none inv-a tinv-a te pinv-none pf-none tpres range-none rinv joined-none'],
    [['+5'], 'none inv-a tinv-a te pinv-none pf-none tpres range rinv-none joined-none'],
    [['5x'], 'none inv-a tinv-a te pinv-none pf-none tpres range-none rinv joined-none'],
    [['100', '5'], 'none inv-a tinv-a te pinv-none pf-none tpres range rinv-none joined-none'],
  ];
  for (const [values, expected] of rows) {
    const headers = values.flatMap((value) => ['x', value]);
    assert.is(paths.map((path) => nameOf(request(path, headers))).join(' '), expected, JSON.stringify(values));
  }
});

test('some headers are joined when they arrive, others are not', () => {
  assert.is(nameOf(request('/ua', ['user-agent', 'a', 'user-agent', 'b'])), 'ua');
  assert.is(nameOf(request('/cookie', ['cookie', 'a', 'cookie', 'b'])), 'cookie');
});

test('paths and queries match as Envoy does', () => {
  const rows: Record<string, string> = {
    '/q?k=1': 'q-first',
    '/q?k=2&k=1': 'q-pres',
    '/q?k=1&k=2': 'q-first',
    '/q?k': 'q-empty',
    '/q?k=': 'q-empty',
    '/q?k=%20': 'q-pct',
    '/q?k=+': 'q-pres',
    '/q?&k=1': 'q-first',
    '/q?a=b&k=1': 'q-first',
    '/q?k=1;x=2': 'q-pres',
    '/q?%6b=1': 'q-absent',
    '/q': 'q-absent',
    '/q?z': 'q-name-only',
    '/q?z=': 'q-name-only',
    '/q?k=1=2': 'q-pres',
    '/q?K=1': 'q-absent',
    '/q?x=?&k=1': 'q-first',
    '/auth': 'auth',
    '/host': 'host',
    '/sep/x': 'sep',
    '/sep/x/': 'sep',
    '/sep/x/y': 'sep',
    '/sep/xy': 'rest',
    '/sep/x?q': 'sep',
    '/sE/': 'sepcase',
    '/seX': 'rest',
    '/rx/a': 'rx',
    '/rx/b': 'rx',
    '/rx/ab': 'rest',
    '/rx/a?q=1': 'rx',
    '/rx.dot': 'rxdot',
    '/exact': 'exact',
    '/exact?x': 'exact',
    '/exact/': 'rest',
    '/Exact': 'rest',
    '/exACTI': 'exacti',
    '/pfxabc': 'pf',
    '/pq?x': 'rest',
    '/pq?x=1': 'rest',
    '//exact': 'rest',
    '/exact;x': 'rest',
    '/exact%2F': 'rest',
  };
  for (const [path, expected] of Object.entries(rows)) assert.is(nameOf(request(path)), expected, path);
  assert.is(nameOf(request('/auth', [], { authority: 'H' })), 'rest');
  assert.is(nameOf(request('/auth', [], { authority: 'h:80' })), 'rest');
});

test('gRPC is application/grpc alone or with a format', () => {
  const rows = {
    'application/grpc': 'grpc',
    'application/grpc+proto': 'grpc',
    'application/grpc-web': 'nogrpc',
    'application/grpc;x': 'nogrpc',
    'Application/grpc': 'nogrpc',
  };
  for (const [type, expected] of Object.entries(rows)) assert.is(nameOf(request('/grpc', ['content-type', type])), expected, type);
});

test('virtual hosts: exact, longest suffix, longest prefix, any', () => {
  const hosts = compiled({
    virtualHosts: [
      { name: 'exact', domains: ['A.example.com', 'a.example.com:81'] },
      { name: 'short', domains: ['*.com'] },
      { name: 'long', domains: ['*.example.com', '*-x.example.com'] },
      { name: 'prefix', domains: ['a.*', '[::1]*'] },
      { name: 'any', domains: ['*'] },
    ].map((v) => ({ ...v, routes: [direct(v.name, { prefix: '/' })] })),
  });
  const rows: Record<string, string> = {
    'a.example.com': 'exact',
    'A.EXAMPLE.COM': 'exact',
    'a.example.com:81': 'exact',
    'a.example.com:80': 'prefix',
    'b.example.com': 'long',
    '.example.com': 'short',
    'example.com': 'short',
    'y-x.example.com': 'long',
    'a.': 'any',
    'a.b': 'prefix',
    zzz: 'any',
    '': 'any',
    '[::1]:80': 'prefix',
  };
  for (const [host, expected] of Object.entries(rows))
    assert.is(match(hosts, request('/', [], { authority: host })).route?.name, expected, host);
});

test('ignore_port_in_host_matching strips ports, not the end of an IPv6 address', () => {
  const hosts = compiled({
    ignorePortInHostMatching: true,
    virtualHosts: [{ name: 'v', domains: ['a.com', '[::1]'], routes: [direct('r', { prefix: '/' })] }],
  });
  for (const host of ['a.com', 'a.com:8080', '[::1]', '[::1]:80'])
    assert.is(match(hosts, request('/', [], { authority: host })).kind, 'direct-response', host);
  assert.is(match(hosts, request('/', [], { authority: 'b.com' })).kind, 'not-found');
});

test('ignore_path_parameters_in_path_matching takes them from every segment', () => {
  const routes = [direct('one', { safeRegex: { regex: '/[a-z]+' } }), direct('two', { path: '/a/b' }), direct('rest', { prefix: '/' })];
  const c = compiled({ ignorePathParametersInPathMatching: true, virtualHosts: [{ name: 'v', domains: ['*'], routes }] });
  const rows: Record<string, string> = { '/a;x': 'one', '/a;y/b': 'two', '/a;y/b;z?;': 'two', '/a/b/;c': 'rest' };
  for (const [path, expected] of Object.entries(rows)) assert.is(match(c, request(path)).route?.name, expected, path);
});

test('a CONNECT without a path reaches connect matchers only', () => {
  const c = compiled({
    virtualHosts: [{ name: 'v', domains: ['*'], routes: [direct('all', { prefix: '/' }), direct('connect', { connectMatcher: {} })] }],
  });
  assert.is(match(c, request('', [], { method: 'CONNECT' })).route?.name, 'connect');
  assert.is(match(c, request('/', [], { method: 'GET' })).route?.name, 'all');
});

test('weighted clusters share exactly; one draw serves fraction and weights', () => {
  const clusters = [
    { name: 'a', weight: 90 },
    { name: 'b', weight: 0 },
    { name: 'c', weight: 10 },
  ];
  const c = compiled({
    virtualHosts: [
      { name: 'v', domains: ['*'], routes: [{ name: 'w', match: { prefix: '/' }, route: { weightedClusters: { clusters } } }] },
    ],
  });
  const counts: Record<string, number> = {};
  // Whole random numbers 0 to 99 in turn: random × 2^53 modulo 100.
  for (let i = 0; i < 1000; i++) {
    const decision = match(c, request('/'), () => i / 9_007_199_254_740_992);
    const cluster = decision.kind === 'route' ? decision.cluster! : '';
    counts[cluster] = (counts[cluster] ?? 0) + 1;
  }
  assert.equal(counts, { a: 900, c: 100 });
});

test('fraction and weights of one route are not independent: the first half of the draws never reaches the second cluster', () => {
  const weightedClusters = {
    clusters: [
      { name: 'a', weight: 50 },
      { name: 'b', weight: 50 },
    ],
  };
  const matches = { prefix: '/', runtimeFraction: { defaultValue: { numerator: 50 } } };
  const c = compiled({ virtualHosts: [{ name: 'v', domains: ['*'], routes: [{ match: matches, route: { weightedClusters } }] }] });
  const seen = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const decision = match(c, request('/'), () => i / 9_007_199_254_740_992);
    seen.add(decision.kind === 'route' ? decision.cluster! : decision.kind);
  }
  assert.equal([...seen], ['a', 'not-found']);
});

test('weighted clusters take a header for the random number', () => {
  const weightedClusters = {
    headerName: 'X-Seed',
    clusters: [
      { name: 'a', weight: 1 },
      { name: 'b', weight: 3 },
    ],
  };
  const c = compiled({ virtualHosts: [{ name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { weightedClusters } }] }] });
  const cluster = (seed?: string): string | undefined => {
    const decision = match(c, request('/', seed === undefined ? [] : ['x-seed', seed]), () => 0);
    return decision.kind === 'route' ? decision.cluster : undefined;
  };
  assert.equal(['0', '1', '4', '7', '18446744073709551615', 'x', '18446744073709551616', undefined].map(cluster), [
    'a',
    'b',
    'a',
    'b',
    'b',
    'a',
    'a',
    'a',
  ]);
});

test('a runtime fraction of a route lets so many through', () => {
  const runtimeFraction = { defaultValue: { numerator: 25, denominator: 'HUNDRED' as const } };
  const c = compiled({
    virtualHosts: [
      { name: 'v', domains: ['*'], routes: [direct('some', { prefix: '/', runtimeFraction }), direct('rest', { prefix: '/' })] },
    ],
  });
  let some = 0;
  for (let i = 0; i < 200; i++) if (match(c, request('/'), () => i / 9_007_199_254_740_992).route?.name === 'some') some++;
  assert.is(some, 50);
});

test('refused fields are named with their path', () => {
  const { value, problems } = compileRouteConfiguration({
    vhds: {},
    virtualHosts: [
      {
        name: 'v',
        domains: ['*'],
        rateLimits: [{}],
        routes: [{ match: { prefix: '/', pathMatchPolicy: {} }, route: { cluster: 'a', hedgePolicy: {} } }],
      },
    ],
  });
  assert.is(value, undefined);
  assert.equal(problems.map((p) => p.path).sort(), [
    'vhds',
    'virtualHosts[0].rateLimits',
    'virtualHosts[0].routes[0].match.pathMatchPolicy',
    'virtualHosts[0].routes[0].route.hedgePolicy',
  ]);
});

test('bad values are problems, not exceptions', () => {
  const { value, problems } = compileRouteConfiguration({
    virtualHosts: [
      {
        name: 'v',
        domains: ['a', 'A'],
        routes: [{ match: { safeRegex: { regex: '(' } }, route: { cluster: 'a', timeout: 'x' } }, { match: {} }],
      },
      { name: 'v', domains: [] },
    ],
  });
  assert.is(value, undefined);
  assert.ok(problems.every((p) => p.severity === 'error' && p.rule === 'envoy/invalid' && p.path !== undefined));
  assert.ok(problems.length >= 6);
});

test.run();
