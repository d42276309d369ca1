import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyAutoHostRewrite, finalizeRequest, finalizeResponse, type OutgoingRequest } from '../../src/routing/finalize.ts';
import { match } from '../../src/routing/match.ts';
import type { RouteRequest } from '../../src/routing/request.ts';
import { compiled, request } from './compiled.ts';

const h = (
  key: string,
  value: string,
  appendAction?: 'ADD_IF_ABSENT' | 'OVERWRITE_IF_EXISTS_OR_ADD' | 'OVERWRITE_IF_EXISTS',
  more: object = {},
) => ({
  header: { key, value },
  ...(appendAction === undefined ? {} : { appendAction }),
  ...more,
});
const level = (n: string) => ({
  requestHeadersToAdd: [
    h('x-app', n),
    h('x-set', n, 'OVERWRITE_IF_EXISTS_OR_ADD'),
    h('x-abs', n, 'ADD_IF_ABSENT'),
    h('x-ow', n, 'OVERWRITE_IF_EXISTS'),
  ],
  responseHeadersToAdd: [h('r-app', n), h('r-set', n, 'OVERWRITE_IF_EXISTS_OR_ADD')],
});
const cluster = { cluster: 'a' };
const configOf = (mostSpecificHeaderMutationsWins: boolean) =>
  compiled({
    ...level('rc'),
    requestHeadersToRemove: ['X-Rm'],
    mostSpecificHeaderMutationsWins,
    virtualHosts: [
      {
        name: 'v',
        domains: ['*'],
        ...level('vh'),
        routes: [
          {
            match: { prefix: '/w' },
            ...level('rt'),
            route: {
              hostRewriteLiteral: 'route.host',
              weightedClusters: { clusters: [{ name: 'a', weight: 1, ...level('wc'), hostRewriteLiteral: 'wc.host' }] },
            },
          },
          {
            match: { prefix: '/x2' },
            route: {
              appendXForwardedHost: true,
              weightedClusters: { clusters: [{ name: 'a', weight: 1, hostRewriteLiteral: 'wc.host' }] },
            },
          },
        ],
      },
    ],
  });
const rewrites = compiled({
  virtualHosts: [
    {
      name: 'v',
      domains: ['*'],
      routes: [
        { match: { prefix: '/p/' }, route: { ...cluster, prefixRewrite: '/new/', hostRewriteLiteral: 'lit', appendXForwardedHost: true } },
        { match: { path: '/pe' }, route: { ...cluster, prefixRewrite: '/E' } },
        { match: { safeRegex: { regex: '/pr/.*' } }, route: { ...cluster, prefixRewrite: '/R' } },
        {
          match: { prefix: '/rr' },
          route: { ...cluster, regexRewrite: { pattern: { regex: '^/rr/([^/]+)/(.*)$' }, substitution: '/\\2/\\1/\\0' } },
        },
        { match: { prefix: '/rb' }, route: { ...cluster, regexRewrite: { pattern: { regex: 'b+' }, substitution: 'X\\\\Y' } } },
        { match: { prefix: '/hh' }, route: { ...cluster, hostRewriteHeader: 'x-h' } },
        {
          match: { prefix: '/hr' },
          route: { ...cluster, hostRewritePathRegex: { pattern: { regex: '^/hr/(.+)$' }, substitution: '\\1.com' } },
        },
        { match: { prefix: '/ah' }, route: { ...cluster, autoHostRewrite: true } },
        { match: { pathSeparatedPrefix: '/ps' }, route: { ...cluster, prefixRewrite: '/' } },
        {
          match: { prefix: '/app' },
          requestHeadersToAdd: [h('user-agent', 'two'), h('x-forwarded-host', 'zz'), h('cookie', 'c=d'), h('x-z', '2')],
          route: { ...cluster, appendXForwardedHost: true, hostRewriteLiteral: 'n' },
        },
        {
          match: { prefix: '/ow' },
          requestHeadersToAdd: [
            h('content-type', 'two', 'OVERWRITE_IF_EXISTS_OR_ADD'),
            h('x-a', '9', 'OVERWRITE_IF_EXISTS'),
            h('user-agent', '9', 'OVERWRITE_IF_EXISTS_OR_ADD'),
          ],
          requestHeadersToRemove: ['x-b'],
          route: cluster,
        },
        {
          match: { prefix: '/fmt' },
          requestHeadersToAdd: [
            h('x-path', '%REQ(:path)%'),
            h('x-none', '%REQ(nope)%'),
            h('x-nonek', '%REQ(nope)%', undefined, { keepEmptyValue: true }),
            h('x-e', ''),
            h('x-ek', '', 'OVERWRITE_IF_EXISTS_OR_ADD', { keepEmptyValue: true }),
            h('x-mix', 'a%REQ(nope)%b'),
            h('x-alt', '%REQ(nope?x-in)%'),
            h('x-len', '%REQ(x-in):3%'),
            h('x-pct', '100%%'),
            h('x-proto', '%PROTOCOL%'),
            h('x-code', '%RESPONSE_CODE%'),
            h('x-flags', '%RESPONSE_FLAGS%'),
            h('x-multi', '%REQ(x-m2)%'),
            h('x-host', '%REQ(:authority)%'),
          ],
          route: cluster,
        },
        { match: { prefix: '/' }, route: { ...cluster, prefixRewrite: '/root' } },
      ],
    },
  ],
});

function sent(config: ReturnType<typeof compiled>, r: RouteRequest): { out: OutgoingRequest; lines: string[]; response: string[] } {
  const decision = match(config, r, () => 0);
  if (decision.kind !== 'route') throw new Error(decision.kind);
  const out = { path: r.path, authority: r.authority, headers: [...r.headers] };
  finalizeRequest(decision, r, out, { request: r, protocol: 'HTTP/1.1' });
  const response: string[] = [];
  finalizeResponse(decision, response, { request: r });
  const pairs = (list: string[]): string[] => list.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${list[i + 1]}`] : []));
  return { out, lines: pairs(out.headers), response: pairs(response) };
}

test('header mutations apply in the order of Envoy, by default the least specific last', () => {
  const incoming = ['x-app', 'in', 'x-set', 'in', 'x-abs', 'in', 'x-ow', 'in', 'x-rm', '1'];
  const { lines, response, out } = sent(configOf(false), request('/w', incoming));
  assert.equal(
    lines,
    [
      'x-app: in',
      'x-abs: in',
      'x-app: wc',
      'x-app: rt',
      'x-app: vh',
      'x-app: rc',
      'x-set: rc',
      'x-ow: rc',
      'x-envoy-original-host: wc.host',
    ].sort(order(lines)),
  );
  assert.is(out.authority, 'route.host');
  assert.equal(response, ['r-app: wc', 'r-app: rt', 'r-app: vh', 'r-set: rc', 'r-app: rc']);
});

test('most_specific_header_mutations_wins turns it round, but for the weighted cluster', () => {
  const { lines } = sent(configOf(true), request('/w'));
  assert.equal(
    lines.filter((l) => l.startsWith('x-app')),
    ['x-app: wc', 'x-app: rc', 'x-app: vh', 'x-app: rt'],
  );
  assert.equal(
    lines.filter((l) => /x-(set|abs|ow)/.test(l)),
    ['x-abs: wc', 'x-set: rt'],
  );
});

test("a weighted cluster's host rewrite leaves no trace", () => {
  const { out, lines } = sent(configOf(false), request('/x2', ['x-forwarded-host', 'zz']));
  assert.is(out.authority, 'wc.host');
  assert.equal(
    lines.filter((l) => /host/.test(l)),
    ['x-forwarded-host: zz'],
  );
});

test('paths and hosts are rewritten as Envoy does', () => {
  const rows: [string, string[], string, string][] = [
    ['/p/a?q', [], '/new/a?q', 'lit'],
    ['/pe?x', [], '/E?x', 'h'],
    ['/pr/x/y?z', [], '/R?z', 'h'],
    ['/rr/one/two?z=/rr/', [], '/two/one//rr/one/two?z=/rr/', 'h'],
    ['/rbb/bbb', [], '/rX\\Y/X\\Y', 'h'],
    ['/hh', ['x-h', 'H1', 'x-h', 'H2'], '/hh', 'H1'],
    ['/hh', [], '/hh', 'h'],
    ['/hr/abc?x', [], '/hr/abc?x', 'abc.com'],
    ['/hrzzz', [], '/hrzzz', '/hrzzz'],
    ['/ps/a', [], '//a', 'h'],
    ['/ps', [], '/', 'h'],
    ['/zz?x', [], '/rootzz?x', 'h'],
  ];
  for (const [path, headers, expectedPath, host] of rows) {
    const { out, lines } = sent(rewrites, request(path, headers));
    assert.is(out.path, expectedPath, path);
    assert.is(out.authority, host, path);
    assert.is(lines.includes(`x-envoy-original-path: ${path}`), expectedPath !== path, path);
    assert.is(lines.includes('x-envoy-original-host: h'), host !== 'h', path);
  }
});

test('headers that Envoy keeps once are joined when something is appended', () => {
  const { lines } = sent(rewrites, request('/app', ['user-agent', 'one', 'x-forwarded-host', 'first', 'cookie', 'a=b', 'x-z', '1']));
  assert.equal(lines, [
    'user-agent: one,two',
    'x-forwarded-host: first,zz,h',
    'cookie: a=b',
    'x-z: 1',
    'cookie: c=d',
    'x-z: 2',
    'x-envoy-original-host: h',
  ]);
});

test('overwriting replaces all lines and moves the header to the end', () => {
  const { lines } = sent(
    rewrites,
    request('/ow', ['content-type', 'one', 'x-a', '1', 'x-a', '2', 'user-agent', 'u', 'x-b', '1', 'x-c', '3']),
  );
  assert.equal(lines, ['x-c: 3', 'content-type: two', 'x-a: 9', 'user-agent: 9']);
});

test('formatters in headers: a missing value is nothing, and nothing is no header', () => {
  const { lines } = sent(rewrites, request('/fmt?q', ['x-in', 'hello', 'x-m2', 'a', 'x-m2', 'b', 'x-e', 'was']));
  assert.equal(lines.slice(4), [
    'x-ek: ',
    'x-path: /fmt?q',
    'x-nonek: ',
    'x-mix: ab',
    'x-alt: hello',
    'x-len: hel',
    'x-pct: 100%',
    'x-proto: HTTP/1.1',
    'x-code: 0',
    'x-flags: -',
    'x-multi: a',
    'x-host: h',
  ]);
});

test('auto_host_rewrite takes the name of the chosen host', () => {
  const r = request('/ah');
  const decision = match(rewrites, r);
  if (decision.kind !== 'route') throw new Error(decision.kind);
  const out = { path: '/ah', authority: 'h', headers: [] as string[] };
  applyAutoHostRewrite(decision, out, '');
  assert.is(out.authority, 'h');
  applyAutoHostRewrite(decision, out, 'up.example');
  assert.equal(out, { path: '/ah', authority: 'up.example', headers: ['x-envoy-original-host', 'h'] });
});

/** Sorts an expected list into the order of the actual one where lines are equal, so that only content is compared. */
function order(actual: string[]): (a: string, b: string) => number {
  return (a, b) => actual.indexOf(a) - actual.indexOf(b);
}

test.run();
