/** Over random routes and requests: what explain says is what `match` does, and its shares are what the dice give. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RouteJson, VirtualHostJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfigurationJson } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import { seededRandom } from '../../src/explain/draw.ts';
import { explainRequest } from '../../src/explain/explain.ts';
import type { Outcome } from '../../src/explain/types.ts';
import type { ProxyView } from '../../src/explain/view.ts';
import { compileRouteConfiguration } from '../../src/routing/compile.ts';
import { clusterName, match } from '../../src/routing/match.ts';
import { redirectLocation } from '../../src/routing/redirect.ts';
import { RouteRequest } from '../../src/routing/request.ts';

const HOSTS = ['a.example', 'b.example', 'sub.a.example', '*.a.example', 'a.*', '*'];
const PATHS = ['/', '/api', '/api/v1', '/API', '/admin'];
const USERS = ['jason', 'Jason', 'ann'];
const CLUSTERS = ['one', 'two', 'three'];

type Random = () => number;
const pick = <T>(random: Random, of: readonly T[]): T => of[Math.floor(random() * of.length)]!;

function randomRoute(random: Random, i: number): RouteJson {
  const path = pick(random, PATHS);
  const match = {
    ...pick(random, [{ prefix: path }, { path }, { safeRegex: { regex: `${path}[a-z0-9/]*` } }]),
    ...(random() < 0.4 && { headers: [{ name: 'x-user', stringMatch: { exact: pick(random, USERS) }, invertMatch: random() < 0.2 }] }),
    ...(random() < 0.2 && { queryParameters: [{ name: 'q', presentMatch: true }] }),
    ...(random() < 0.25 && {
      runtimeFraction: {
        defaultValue: { numerator: Math.floor(random() * 101), denominator: pick(random, ['HUNDRED', 'TEN_THOUSAND'] as const) },
      },
    }),
  };
  const kind = random();
  if (kind < 0.1) return { name: `r${i}`, match, redirect: { hostRedirect: 'elsewhere.example', prefixRewrite: '/new' } };
  if (kind < 0.2) return { name: `r${i}`, match, directResponse: { status: 418, body: { inlineString: 'teapot' } } };
  if (kind < 0.5) {
    const clusters = CLUSTERS.map((name) => ({ name, weight: Math.floor(random() * 50) }));
    clusters[0]!.weight++;
    return { name: `r${i}`, match, route: { weightedClusters: { clusters } } };
  }
  return {
    name: `r${i}`,
    match,
    route: { cluster: pick(random, CLUSTERS), ...(random() < 0.3 && match.prefix !== undefined && { prefixRewrite: '/x' }) },
  };
}

function randomConfig(random: Random): RouteConfigurationJson {
  const virtualHosts = HOSTS.filter(() => random() < 0.7).map(
    (domain, i): VirtualHostJson => ({
      name: `v${i}`,
      domains: [domain],
      routes: Array.from({ length: Math.floor(random() * 6) }, (_, r) => randomRoute(random, r)),
      ...(random() < 0.1 && { requireTls: 'ALL' as const }),
    }),
  );
  return { name: 'random', virtualHosts, ignorePortInHostMatching: random() < 0.5 };
}

const HCM = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

function viewOf(config: RouteConfigurationJson): ProxyView {
  const typedConfig = { '@type': HCM, statPrefix: 'test', routeConfig: config } as never;
  return {
    proxy: 'test',
    source: 'test',
    type: 'router',
    listeners: [
      {
        name: 'l',
        address: { socketAddress: { address: '0.0.0.0', portValue: 80 } },
        filterChains: [{ filters: [{ name: 'hcm', typedConfig }] }],
      },
    ],
    routes: [],
    clusters: CLUSTERS.map((name) => ({
      name,
      type: 'STATIC',
      loadAssignment: {
        clusterName: name,
        endpoints: [{ lbEndpoints: [{ endpoint: { address: { socketAddress: { address: '10.0.0.1', portValue: 1 } } } }] }],
      },
    })),
    endpoints: [],
    endpointsKnown: true,
  };
}

/** An outcome and a decision in the same words. */
const said = (o: Outcome): string =>
  o.type === 'forward'
    ? `${o.routeField} ${o.destination!.cluster}`
    : o.type === 'no-route'
      ? `404 ${o.virtualHost ?? ''}`
      : `${o.routeField ?? o.virtualHost} ${o.status} ${o.location ?? o.body ?? ''}`;

test('every decision of match is an outcome, with the share of the draws that lead to it', () => {
  const half = seededRandom(2024);
  // Dice are read as 53 bits: as many as a double in [0, 1) has, and as Math.random gives.
  const random = (): number => (Math.floor(half() * 2 ** 27) * 2 ** 26 + Math.floor(half() * 2 ** 26)) / 2 ** 53;
  let splits = 0;
  for (let round = 0; round < 150; round++) {
    const json = randomConfig(random);
    const { value: config, problems } = compileRouteConfiguration(json);
    assert.ok(config, JSON.stringify(problems));
    const view = viewOf(json);
    for (let i = 0; i < 6; i++) {
      const host = `${pick(random, ['a.example', 'b.example', 'x.a.example', 'a.test', 'other'])}${random() < 0.3 ? ':80' : ''}`;
      const path = `${pick(random, PATHS)}${random() < 0.3 ? '/more' : ''}${random() < 0.3 ? '?q=1' : ''}`;
      const user = random() < 0.7 ? pick(random, USERS) : undefined;
      const told = explainRequest(view, {
        method: 'GET',
        url: `http://${host}${path}`,
        headers: user === undefined ? [] : [['x-user', user]],
        entry: { kind: 'port', port: 80 },
      });
      const request = new RouteRequest({
        method: 'GET',
        scheme: 'http',
        authority: host,
        path,
        headers: user === undefined ? [] : ['x-user', user],
      });
      const counts = new Map<string, number>();
      const draws = told.outcomes.length > 1 ? 4000 : 50;
      for (let n = 0; n < draws; n++) {
        const decision = match(config, request, random);
        const words =
          decision.kind === 'route'
            ? `${decision.route.field} ${clusterName(decision, request)}`
            : decision.kind === 'not-found'
              ? `404 ${decision.virtualHost?.name ?? ''}`
              : `${decision.route?.field ?? decision.virtualHost.name} ${decision.status} ${decision.kind === 'redirect' ? redirectLocation(decision, request) : decision.body.toString()}`;
        counts.set(words, (counts.get(words) ?? 0) + 1);
      }
      const shares = new Map<string, number>();
      for (const outcome of told.outcomes) shares.set(said(outcome), (shares.get(said(outcome)) ?? 0) + outcome.share);
      const total = [...shares.values()].reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(total - 1) < 1e-9, `shares add up to ${total}`);
      if (shares.size > 1) splits++;
      for (const words of counts.keys()) assert.ok(shares.has(words), `match: ${words}; explain: ${[...shares.keys()].join(' | ')}`);
      for (const [words, share] of shares) {
        const seen = (counts.get(words) ?? 0) / draws;
        // Five standard deviations: less than one in a million by chance.
        const deviation = Math.sqrt((share * (1 - share)) / draws);
        assert.ok(Math.abs(seen - share) <= 5 * deviation + 1e-9, `${words}: drawn ${seen}, told ${share}`);
      }
      assert.is(told.decidable, told.outcomes.length === 1);
    }
  }
  assert.ok(splits > 50, `only ${splits} requests were left to chance`);
});

test.run();
