/** Property: whenever one route is said to cover another, no request meets the later one alone. Requests are matched by the routing core itself. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RouteMatchJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { seededRandom } from '../../src/explain/draw.ts';
import { compileRouteConfiguration } from '../../src/routing/compile.ts';
import { RouteRequest } from '../../src/routing/request.ts';
import { routeCovers } from '../../src/routing/route-cover.ts';
import type { CompiledRoute } from '../../src/routing/types.ts';

const random = seededRandom(20_260_601);
const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
const texts = ['/', '/a', '/A', '/a/', '/a/b', '/ab', '/b', '/a/b/c'];
const values = ['', 'x', 'X', 'xy', 'xyz', 'y'];

function pathMatch(): RouteMatchJson {
  const text = pick(texts);
  const kind = pick(['prefix', 'path', 'pathSeparatedPrefix', 'safeRegex'] as const);
  const insensitive = random() < 0.3 && { caseSensitive: false };
  if (kind === 'prefix') return { prefix: text, ...insensitive };
  if (kind === 'path') return { path: text, ...insensitive };
  if (kind === 'pathSeparatedPrefix') return { pathSeparatedPrefix: pick(['/a', '/a/b', '/ab']), ...insensitive };
  return { safeRegex: { regex: pick(['.*', '/a.*', '/a/?', '.*b']) } };
}

function headerMatch(): object {
  const name = pick(['h', 'g']);
  const invert = random() < 0.25 ? { invertMatch: true } : {};
  const empty = random() < 0.2 ? { treatMissingHeaderAsEmpty: true } : {};
  return pick([
    { name, presentMatch: true, ...invert },
    { name, stringMatch: { exact: pick(values.slice(1)) }, ...invert, ...empty },
    { name, stringMatch: { prefix: pick(values.slice(1)) }, ...invert, ...empty },
    { name, stringMatch: { exact: pick(values.slice(1)), ignoreCase: true }, ...invert },
  ]);
}

function randomMatch(): RouteMatchJson {
  const headers = Array.from({ length: Math.floor(random() * 3) }, headerMatch);
  const query = random() < 0.2 ? [{ name: 'q', stringMatch: { exact: pick(['1', '2']) } }] : [];
  const fraction = random() < 0.1 ? { runtimeFraction: { defaultValue: { numerator: 50, denominator: 'HUNDRED' as const } } } : {};
  return { ...pathMatch(), ...(headers.length > 0 && { headers }), ...(query.length > 0 && { queryParameters: query }), ...fraction };
}

function compile(match: RouteMatchJson): CompiledRoute | undefined {
  const { value } = compileRouteConfiguration({
    name: 'r',
    virtualHosts: [{ name: 'v', domains: ['*'], routes: [{ match, directResponse: { status: 200 } }] }],
  });
  return value?.virtualHosts[0]?.routes[0];
}

const requests = texts.flatMap((path) =>
  ['', '?q=1', '?q=2'].flatMap((query) =>
    [undefined, ...values].flatMap((h) =>
      [undefined, 'x', 'y'].map(
        (g) =>
          new RouteRequest({
            method: 'GET',
            path: path + query,
            authority: 'a',
            scheme: 'http',
            headers: [...(h === undefined ? [] : ['h', h]), ...(g === undefined ? [] : ['g', g])],
          }),
      ),
    ),
  ),
);

const takes = (route: CompiledRoute, request: (typeof requests)[number]): boolean =>
  route.path.test(request) && route.conditions.every((c) => c.test(request));

test('what is covered takes no request that the earlier route does not take', () => {
  let covered = 0;
  for (let i = 0; i < 6000; i++) {
    const [a, b] = [randomMatch(), random() < 0.4 ? randomMatch() : undefined];
    const later = b ?? {
      ...a,
      ...(random() < 0.7 && { headers: [...(a.headers ?? []), headerMatch()] as RouteMatchJson['headers'] & object }),
    };
    const [first, second] = [compile(a), compile(later)];
    if (first === undefined || second === undefined || !routeCovers(first.json.match ?? {}, second.json.match ?? {})) continue;
    covered++;
    for (const request of requests)
      if (takes(second, request) && !takes(first, request))
        assert.unreachable(`${JSON.stringify(a)} does not cover ${JSON.stringify(later)}`);
  }
  assert.ok(covered > 500, `only ${covered} pairs were covered`);
});

/** Pairs that people write, by hand. */
const pairs: [string, RouteMatchJson, RouteMatchJson, boolean][] = [
  ['a catch-all and anything', { prefix: '/' }, { safeRegex: { regex: '/v[0-9]+' } }, true],
  ['a prefix and a longer one', { prefix: '/api' }, { prefix: '/api/v2' }, true],
  ['a prefix and a shorter one', { prefix: '/api/v2' }, { prefix: '/api' }, false],
  ['the same with one header more', { prefix: '/a' }, { prefix: '/a', headers: [{ name: 'h', stringMatch: { exact: 'x' } }] }, true],
  ['a header and none', { prefix: '/a', headers: [{ name: 'h', stringMatch: { exact: 'x' } }] }, { prefix: '/a' }, false],
  [
    'presence and a value',
    { prefix: '/a', headers: [{ name: 'h', presentMatch: true }] },
    { prefix: '/a', headers: [{ name: 'h', stringMatch: { exact: 'x' } }] },
    true,
  ],
  ['half of the requests', { prefix: '/', runtimeFraction: { defaultValue: { numerator: 50 } } }, { prefix: '/a' }, false],
  ['a whole segment and its prefix', { pathSeparatedPrefix: '/a' }, { prefix: '/a' }, false],
];

for (const [name, earlier, later, expected] of pairs)
  test(`${name}: ${expected ? 'covered' : 'not covered'}`, () => {
    assert.is(routeCovers(earlier, later), expected);
  });

test.run();
