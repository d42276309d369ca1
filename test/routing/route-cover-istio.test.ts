/** Property: whenever one match is said to cover another, no request meets the other one alone. Requests are matched by the routing core. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { HTTPMatchRequest, StringMatch } from '../../src/config/kinds/networking.ts';
import { routeMatch } from '../../src/envoy/routes/match.ts';
import { seededRandom } from '../../src/explain/draw.ts';
import { compileRouteConfiguration } from '../../src/routing/compile.ts';
import { RouteRequest } from '../../src/routing/request.ts';
import { routeCovers } from '../../src/routing/route-cover.ts';

const random = seededRandom(20_261_121);
const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
const paths = ['/', '/a', '/A', '/a/', '/a/b', '/ab', '/b', '/a/b/c', '/a1', '/x.y'];
const regexes = ['.*', '/.*', '/a.*', '/a/?', '.*b', '/a|/b', '/a[0-9]?', '(?i)/a', '/x\\.y', '/ab*', '/a/b{0,1}'];
const values = ['', 'x', 'X', 'xy', 'xyz', 'y'];

function text(): StringMatch {
  return pick<StringMatch>([
    {},
    { exact: pick(values.slice(1)) },
    { prefix: pick(values.slice(1)) },
    { regex: pick(['x.*', '[xy]', '*', '']) },
  ]);
}

function randomMatch(): HTTPMatchRequest {
  const uri = pick<StringMatch | undefined>([undefined, { exact: pick(paths) }, { prefix: pick(paths) }, { regex: pick(regexes) }]);
  return {
    ...(uri && { uri }),
    ...(random() < 0.3 && { ignoreUriCase: true }),
    ...(random() < 0.4 && { headers: { [pick(['h', 'g'])]: text() } }),
    ...(random() < 0.2 && { withoutHeaders: { [pick(['h', 'g'])]: text() } }),
    ...(random() < 0.2 && { queryParams: { q: text() } }),
    ...(random() < 0.2 && { method: { exact: pick(['GET', 'POST']) } }),
  };
}

const requests = paths.flatMap((path) =>
  ['', '?q=x', '?q=xy', '?q'].flatMap((query) =>
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

function compile(match: HTTPMatchRequest) {
  const json = routeMatch(match);
  const { value } = compileRouteConfiguration({
    name: 'r',
    virtualHosts: [{ name: 'v', domains: ['*'], routes: [{ match: json, directResponse: { status: 200 } }] }],
  });
  const route = value?.virtualHosts[0]?.routes[0];
  return route && { json, takes: (r: RouteRequest): boolean => route.path.test(r) && route.conditions.every((c) => c.test(r)) };
}

test('what is said to be covered never matches alone', () => {
  let covered = 0;
  for (let i = 0; i < 6000; i++) {
    const [earlier, later] = [compile(randomMatch()), compile(randomMatch())];
    if (earlier === undefined || later === undefined || !routeCovers(earlier.json, later.json)) continue;
    covered++;
    for (const request of requests) {
      if (!later.takes(request) || earlier.takes(request)) continue;
      assert.unreachable(`${JSON.stringify(earlier.json)} does not cover ${JSON.stringify(later.json)}: ${request.path}`);
    }
  }
  assert.ok(covered > 300, `only ${covered} pairs were said to be covered`);
});

test.run();
