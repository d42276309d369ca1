import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { explainMatch } from '../../src/routing/explain-match.ts';
import { compiled, request } from './compiled.ts';

const config = compiled({
  virtualHosts: [
    { name: 'wild', domains: ['*.example.com'], routes: [] },
    {
      name: 'shop',
      domains: ['shop.example.com'],
      routes: [
        {
          name: 'beta',
          match: { prefix: '/', headers: [{ name: 'x-user', stringMatch: { exact: 'jason' } }] },
          route: { cluster: 'beta' },
        },
        { name: 'query', match: { prefix: '/', queryParameters: [{ name: 'v', stringMatch: { exact: '2' } }] }, route: { cluster: 'two' } },
        { name: 'api', match: { prefix: '/api' }, route: { cluster: 'api' } },
        { name: 'some', match: { prefix: '/', runtimeFraction: { defaultValue: { numerator: 0 } } }, route: { cluster: 'some' } },
        { name: 'rest', match: { prefix: '/' }, route: { cluster: 'rest' } },
        { name: 'never', match: { prefix: '/' }, route: { cluster: 'never' } },
      ],
    },
  ],
});

test('each route that was passed over says its first condition and what the request has', () => {
  const { decision, routes, virtualHosts } = explainMatch(
    config,
    request('/cart?v=1', ['x-user', 'bob'], { authority: 'Shop.example.com' }),
  );
  assert.is(decision.route?.name, 'rest');
  assert.equal(
    routes.map(({ route, failed }) => [route.name, failed]),
    [
      ['beta', { field: 'virtualHosts[1].routes[0].match.headers[0]', expected: 'header x-user is "jason"', actual: '"bob"' }],
      ['query', { field: 'virtualHosts[1].routes[1].match.queryParameters[0]', expected: 'query parameter v is "2"', actual: '"1"' }],
      ['api', { field: 'virtualHosts[1].routes[2].match.prefix', expected: 'path starts with "/api"', actual: '"/cart"' }],
      ['some', { field: 'virtualHosts[1].routes[3].match.runtimeFraction', expected: 'is among 0 of 100', actual: 'is not' }],
      ['rest', undefined],
    ],
  );
  assert.equal(
    virtualHosts.map(({ virtualHost, domain, failed }) => [virtualHost.name, domain, failed?.expected]),
    [
      ['wild', undefined, 'no better domain than *.example.com matches'],
      ['shop', 'shop.example.com', undefined],
    ],
  );
});

test('an unknown host says so for every virtual host', () => {
  const { decision, routes, virtualHosts } = explainMatch(config, request('/', [], { authority: 'other' }));
  assert.is(decision.kind, 'not-found');
  assert.equal(routes, []);
  assert.equal(
    virtualHosts.map((v) => v.failed?.actual),
    ['"other"', '"other"'],
  );
});

test('an absent header shows as absent', () => {
  const { routes } = explainMatch(config, request('/', [], { authority: 'shop.example.com' }));
  assert.is(routes[0]?.failed?.actual, 'absent');
});

test.run();
