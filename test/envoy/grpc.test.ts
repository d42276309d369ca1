/** What gRPC clients without a proxy get of Envoy's config. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { grpcClusters, grpcDialling, grpcEndpoints } from '../../src/envoy/grpc/proxyless.ts';
import { grpcRoutes } from '../../src/envoy/grpc/routes.ts';

test('each name of a virtual host can be dialled, wildcards and hosts without a port cannot', () => {
  const route = { match: { prefix: '/' }, route: { cluster: 'c' } };
  const virtualHosts = [
    { name: 'a.ns.svc:80', domains: ['a.ns.svc', 'a', 'a:80', '*.a'], routes: [route] },
    { name: 'allow_any', domains: ['*'], routes: [route] },
  ];
  const { listeners, routes } = grpcDialling([
    { name: '80', virtualHosts },
    { name: '81', virtualHosts },
  ]);
  assert.equal(
    listeners.map((l) => l.name),
    ['a.ns.svc:80', 'a:80'],
  );
  assert.equal(routes, [{ name: 'a.ns.svc:80', virtualHosts: [{ name: 'a.ns.svc:80', domains: ['*'], routes: [route] }] }]);
  assert.ok(grpcDialling([{ name: '80', virtualHosts }]).routes[0] === routes[0], 'the same object for the same virtual host');
});

test('routes in the words that gRPC knows', () => {
  const to = { cluster: 'c' };
  assert.equal(
    grpcRoutes([
      {
        match: { pathSeparatedPrefix: '/a' },
        route: { ...to, timeout: '5s', prefixRewrite: '/b', retryPolicy: { retryOn: '5xx', numRetries: 0 } },
      },
      { match: { prefix: '/', queryParameters: [{ name: 'q' }] }, route: to },
      { match: { prefix: '/old' }, redirect: { hostRedirect: 'new' } },
      {
        match: { prefix: '/' },
        route: { ...to, timeout: '0s', retryPolicy: { retryOn: 'unavailable', numRetries: 2, perTryTimeout: '1s' } },
      },
    ]),
    [
      { match: { path: '/a' }, route: { ...to, maxStreamDuration: { maxStreamDuration: '5s' } } },
      { match: { prefix: '/a/' }, route: { ...to, maxStreamDuration: { maxStreamDuration: '5s' } } },
      { match: { prefix: '/old' }, nonForwardingAction: {} },
      { match: { prefix: '/' }, route: { ...to, retryPolicy: { retryOn: 'unavailable', numRetries: 2 } } },
    ],
  );
});

test('clusters that gRPC cannot reach as they are meant are left out; endpoints get localities and weights', () => {
  const clusters = grpcClusters([
    { name: 'eds', type: 'EDS', lbPolicy: 'LEAST_REQUEST' },
    { name: 'tls', type: 'EDS', transportSocket: { name: 'envoy.transport_sockets.tls' } },
    { name: 'dns', type: 'STRICT_DNS' },
  ]);
  assert.equal(
    clusters.map((c) => [c.name, c.lbPolicy]),
    [['eds', 'ROUND_ROBIN']],
  );
  const lbEndpoints = [{ endpoint: {} }, { endpoint: {} }];
  assert.equal(grpcEndpoints([{ clusterName: 'eds', endpoints: [{ lbEndpoints }] }]), [
    { clusterName: 'eds', endpoints: [{ lbEndpoints, locality: {}, loadBalancingWeight: 2 }] },
  ]);
});

test.run();
