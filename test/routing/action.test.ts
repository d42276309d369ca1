import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileRouteConfiguration } from '../../src/routing/compile.ts';
import { filterConfig, filterConfigs, filterDisabled } from '../../src/routing/filter-config.ts';
import { clusterName, match } from '../../src/routing/match.ts';
import { mirrorsOf, shadowAuthority } from '../../src/routing/mirror.ts';
import { upgradeAllowed } from '../../src/routing/upgrade.ts';
import { compiled, forwarded, request } from './compiled.ts';

const r = request('/');

test('cluster_header takes the first line, and is empty without the header', () => {
  const decision = forwarded([{ match: { prefix: '/' }, route: { clusterHeader: 'X-Cl' } }], r);
  assert.is(clusterName(decision, request('/', ['x-cl', 'b', 'x-cl', 'a'])), 'b');
  assert.is(clusterName(decision, r), '');
});

test('mirrors: own ones, else those of the virtual host; each draws for itself', () => {
  const more = { requestMirrorPolicies: [{ cluster: 'v' }] };
  const half = { defaultValue: { numerator: 500_000, denominator: 'MILLION' } };
  const own = [{ cluster: 'm', runtimeFraction: half, disableShadowHostSuffixAppend: true }, { clusterHeader: 'x-m' }];
  const decision = forwarded([{ match: { prefix: '/' }, route: { cluster: 'a', requestMirrorPolicies: own } }], r, more);
  assert.equal(
    mirrorsOf(decision, r, () => 0),
    [{ cluster: 'm', appendShadowSuffix: false }],
  );
  assert.equal(
    mirrorsOf(decision, request('/', ['x-m', 'h']), () => 500_000 / 2 ** 53),
    [{ cluster: 'h', appendShadowSuffix: true }],
  );
  assert.equal(mirrorsOf(forwarded([{ match: { prefix: '/' }, route: { cluster: 'a' } }], r, more), r), [
    { cluster: 'v', appendShadowSuffix: true },
  ]);
  assert.equal(['a.com', 'a.com:80', '[::1]', '[::1]:80'].map(shadowAuthority), [
    'a.com-shadow',
    'a.com-shadow:80',
    '[::1]-shadow',
    '[::1]-shadow:80',
  ]);
});

test('filter configurations: the most specific counts, wrappers come off', () => {
  const any = (n: number) => ({ '@type': 'type.googleapis.com/x', n });
  const wrapper = 'type.googleapis.com/envoy.config.route.v3.FilterConfig';
  const decision = forwarded(
    [{ match: { prefix: '/' }, route: { cluster: 'a' }, typedPerFilterConfig: { f: any(2), off: { '@type': wrapper, disabled: true } } }],
    r,
    { typedPerFilterConfig: { f: any(1), g: { '@type': wrapper, config: any(3) }, __proto__x: any(4) } },
  );
  assert.equal(filterConfig(decision, 'f'), any(2));
  assert.equal(filterConfigs(decision, 'f'), [any(2), any(1)]);
  assert.equal(filterConfig(decision, 'g'), any(3));
  assert.equal([filterDisabled(decision, 'off'), filterDisabled(decision, 'g'), filterDisabled(decision, 'f')], [true, false, undefined]);
  assert.is(filterConfig(decision, 'constructor'), undefined);
});

test('upgrades: the route decides before the connection manager', () => {
  const decision = forwarded(
    [
      {
        match: { prefix: '/' },
        route: {
          cluster: 'a',
          upgradeConfigs: [
            { upgradeType: 'websocket', enabled: false },
            { upgradeType: 'CONNECT', connectConfig: {} },
          ],
        },
      },
    ],
    r,
  );
  assert.not(upgradeAllowed(decision, 'WebSocket', new Map([['websocket', true]])));
  assert.ok(upgradeAllowed(decision, 'connect', new Map()));
  assert.equal(decision.action.connect, { allowPost: false });
  const plain = forwarded([{ match: { prefix: '/' }, route: { cluster: 'a' } }], r);
  assert.ok(upgradeAllowed(plain, 'websocket', new Map([['websocket', true]])));
  assert.not(upgradeAllowed(plain, 'h2c', new Map([['websocket', true]])));
});

test('direct responses: status, body, limit', () => {
  const config = (body: object, more = {}) => ({
    virtualHosts: [{ name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, directResponse: { status: 418, body } }] }],
    ...more,
  });
  const decision = match(compiled(config({ inlineString: 'é' })), r);
  assert.equal(decision.kind === 'direct-response' && [decision.status, decision.body.toString()], [418, 'é']);
  const refused = (body: object): string | undefined => compileRouteConfiguration(config(body)).problems[0]?.rule;
  assert.is(refused({ inlineString: 'x'.repeat(4097) }), 'envoy/invalid');
  assert.ok(compiled(config({ inlineString: 'x'.repeat(4097) }, { maxDirectResponseBodySizeBytes: 1_048_576 })));
  assert.is(refused({ filename: '/etc/passwd' }), 'unsupported/field');
});

test('subset metadata of a weighted cluster is merged over its route’s', () => {
  const lb = (fields: object) => ({ filterMetadata: { 'envoy.lb': fields } });
  const route = {
    metadataMatch: lb({ a: 1, b: 1 }),
    weightedClusters: { clusters: [{ name: 'c', weight: 1, metadataMatch: lb({ b: 2 }) }] },
  };
  assert.equal(forwarded([{ match: { prefix: '/' }, route }], r).metadataMatch, { a: 1, b: 2 });
});

test('dynamic metadata and client certificates are conditions', () => {
  const routes = [
    {
      name: 'claim',
      match: {
        prefix: '/',
        dynamicMetadata: [
          {
            filter: 'jwt',
            path: [{ key: 'payload' }, { key: 'role' }],
            value: {
              orMatch: {
                valueMatchers: [{ listMatch: { oneOf: { stringMatch: { exact: 'admin' } } } }, { stringMatch: { exact: 'admin' } }],
              },
            },
          },
        ],
      },
      route: { cluster: 'a' },
    },
    { name: 'cert', match: { prefix: '/', tlsContext: { presented: true, validated: true } }, route: { cluster: 'a' } },
    { name: 'rest', match: { prefix: '/' }, route: { cluster: 'a' } },
  ];
  const name = (more: object): string | undefined => forwarded(routes, request('/', [], more)).route.name;
  assert.is(name({ metadata: { jwt: { payload: { role: ['x', 'admin'] } } } }), 'claim');
  assert.is(name({ metadata: { jwt: { payload: { role: 'admin' } } } }), 'claim');
  assert.is(name({ metadata: { jwt: { payload: {} } } }), 'rest');
  assert.is(name({ tls: { presented: true, validated: true } }), 'cert');
  assert.is(name({ tls: { presented: true, validated: false } }), 'rest');
});

test.run();
