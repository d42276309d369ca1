/** Dumps of Istio's own control plane: captured traffic, inbound chains, fields and filters that nothing here evaluates. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readDump } from '../../src/envoy/dump/read-dump.ts';
import { explainConnection } from '../../src/explain/explain.ts';
import type { ProxyView } from '../../src/explain/view.ts';
import { viewOfDump } from '../../src/explain/view-of-dump.ts';
import { istioDump, rbacFilter } from './istio-dump.ts';
import { get } from './view.ts';

const viewOf = async (text = istioDump()): Promise<ProxyView> => viewOfDump(await readDump(text, 'dump.json'));

test('captured traffic finds its listener, chain, route, subset and endpoints', async () => {
  const told = get(await viewOf(), 'http://reviews:9080/1', { headers: [['end-user', 'jason']] });
  assert.is(told.proxy, 'web-1.default');
  assert.is(told.connection.listener, '0.0.0.0_9080');
  const [outcome] = told.outcomes;
  assert.is(outcome?.destination?.subset, 'v2');
  assert.is(outcome?.destination?.transport, 'plain');
  assert.equal(
    outcome?.destination?.endpoints.map((e) => [e.address, e.share, e.locality]),
    [
      ['10.0.0.21:9080', 0.5, 'eu/eu-1'],
      ['10.0.0.22:9080', 0.5, 'eu/eu-1'],
    ],
  );
  assert.equal(outcome?.routeOrigin, {
    kind: 'VirtualService',
    name: 'reviews',
    namespace: 'default',
    config: '/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews',
  });
});

test('what cannot be evaluated is named, and nothing is called certain', async () => {
  const told = get(await viewOf(), 'http://reviews:9080/t/1', { headers: [['end-user', 'jason']] });
  assert.not(told.decidable);
  // The path template stands before the route that is taken. Rate limits of a route are read by a filter that is not there.
  assert.equal(told.unevaluated, [
    { name: 'virtualHosts[0].routes[0].match.pathMatchPolicy of route configuration 9080', why: 'path templates are not evaluated' },
  ]);
});

test('a header in another case is the one condition that failed', async () => {
  const told = get(await viewOf(), 'http://reviews:9080/1', { headers: [['end-user', 'Jason']] });
  assert.is(told.outcomes[0]?.type, 'no-route');
  assert.is(told.nearMisses[0]?.expected, 'header end-user is "jason"');
  assert.is(told.nearMisses[0]?.actual, '"Jason"');
});

test('unknown hosts on a known port, and unknown ports, pass through to where they wanted to go', async () => {
  const view = await viewOf();
  assert.is(get(view, 'http://other.example:9080/').outcomes[0]?.type, 'passthrough');
  const told = get(view, 'http://other.example:7777/');
  assert.is(told.connection.listener, 'virtualOutbound');
  assert.is(told.outcomes[0]?.type, 'passthrough');
});

test('policies of a dump decide, and are known by their names', async () => {
  const atPort = { entry: { kind: 'inbound', port: 9080 } } as const;
  const denied = get(await viewOf(istioDump([rbacFilter('ALLOW', '/other')])), 'http://web:9080/', atPort);
  assert.is(denied.connection.filterChain, '0.0.0.0_9080');
  const [outcome] = denied.outcomes;
  assert.is(outcome?.type, 'denied');
  assert.is(outcome?.responseCodeDetails, 'rbac_access_denied_matched_policy[none]');
  assert.equal(outcome?.policies, [{ kind: 'AuthorizationPolicy', name: 'web', namespace: 'default', action: 'ALLOW' }]);
  assert.match(denied.nearMisses[0]?.message ?? '', /default\/web rule 1 asks that path is "\/other" \(here: "\/"\)/);
  assert.ok(denied.decidable);
  const named = get(await viewOf(istioDump([rbacFilter('DENY', '/')])), 'http://web:9080/', atPort).outcomes[0];
  assert.is(named?.responseCodeDetails, 'rbac_access_denied_matched_policy[ns[default]-policy[web]-rule[0]]');
  assert.is(named?.policies?.[0]?.rule, 0);
  const passed = get(await viewOf(istioDump([rbacFilter('ALLOW', '/')])), 'http://web:9080/', atPort).outcomes[0];
  assert.is(passed?.type, 'passthrough');
  assert.is(passed?.policies?.[0]?.name, 'web');
});

test('TCP goes by address, or by the name that a listener leads to', async () => {
  const view = await viewOf();
  for (const host of ['10.96.0.5', 'mysql', 'mysql.default.svc.cluster.local']) {
    const told = explainConnection(view, { host, port: 3306 });
    assert.is(told.connection.listener, '10.96.0.5_3306', host);
    assert.is(told.outcomes[0]?.destination?.endpoints[0]?.address, '10.0.0.31:9080');
    assert.ok(told.decidable);
  }
  assert.is(explainConnection(view, { host: '10.9.9.9', port: 3306 }).outcomes[0]?.type, 'passthrough');
});

test('TLS on a port that detects plain HTTP takes the default chain, and says why not the other', async () => {
  const told = get(await viewOf(), 'https://reviews:9080/');
  assert.is(told.connection.filterChain, 'PassthroughFilterChain');
  assert.match(told.nearMisses[0]?.message ?? '', /transport raw_buffer; the connection has tls/);
});

test('a dump without endpoints says that they are not known', async () => {
  const json = JSON.parse(istioDump()) as { configs: { '@type': string }[] };
  const cut = { configs: json.configs.filter((c) => !c['@type'].endsWith('EndpointsConfigDump')) };
  const told = get(await viewOf(JSON.stringify(cut)), 'http://reviews:9080/1', { headers: [['end-user', 'jason']] });
  assert.is(told.outcomes[0]?.type, 'forward');
  assert.not.ok(told.outcomes[0]?.destination?.endpointsKnown);
});

test.run();
