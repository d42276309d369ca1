/** A service as it is described: routes, subsets, policies, mTLS, who sees it, what is shadowed and by what. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { clientIn } from '../../src/describe/clients.ts';
import { describeService } from '../../src/describe/service.ts';
import type { ServiceDescription } from '../../src/describe/types.ts';
import { findProxy } from '../../src/mesh/proxies.ts';
import type { Mesh, ProxyNode } from '../../src/mesh/types.ts';
import { meshOf, shopMesh } from './support.ts';

function describe(mesh: Mesh, host: string, from?: string): ServiceDescription {
  const service = mesh.services.find((s) => s.host.startsWith(host));
  if (service === undefined) throw new Error(`no ${host}`);
  return describeService(mesh, service, from === undefined ? clientIn(mesh, service.namespace) : (findProxy(mesh, from) as ProxyNode));
}

const reviews = async (from?: string): Promise<ServiceDescription> => describe(await shopMesh(), 'reviews.', from);
const line = (origin: { line?: number } | undefined): number | undefined => origin?.line;

test('routes are those that clients run, in their order, with shares, endpoints and lines', async () => {
  const { ports } = await reviews();
  const [http] = ports;
  assert.equal(
    http?.routes.map((r) => [r.number, r.name, line(r.origin)]),
    [
      [1, 'api', 73],
      [2, 'api-v2', 80],
      [3, 'api-v2', 80],
      [4, 'rest', 85],
    ],
  );
  assert.equal(
    http?.routes[3]?.destinations.map((d) => [d.subset, d.share, d.endpoints?.total, d.fails]),
    [
      ['v1', 0.8, 1, undefined],
      ['v2', 0.2, 0, 'it has no endpoints'],
    ],
  );
  assert.equal(http?.routes[0]?.settings, [
    ['delay', '200 ms for 10 %'],
    ['rewrite', 'prefix to /'],
    ['timeout', '3 s'],
    ['retries', 'up to 4, 1 s each, on 5xx'],
  ]);
  assert.is(ports[1]?.routes[0]?.protocol, 'TCP');
  assert.equal(http?.endpoints, { total: 1, usable: 1, unhealthy: 0, draining: 0 });
});

test('a route that an earlier one takes everything from is shadowed by it; one with a wider match is not', async () => {
  const [http] = (await reviews()).ports;
  assert.equal(
    http?.routes.map((r) => line(r.shadow?.by)),
    [undefined, 73, undefined, undefined],
  );
});

test('rules are told that clients do not run, and why', async () => {
  const { virtualServices } = await reviews();
  const [used, again] = virtualServices;
  assert.is(used?.state, 'partly');
  assert.equal(
    used?.shadows.map((s) => s.why.replace(/ \(mesh\.yaml:(\d+)\)/, ' $1')),
    [
      'rule #2 api-v2 80: route #1 api takes every such request before it',
      'rule #3 from-web 83: it is for other clients than client.shop: labels app=web',
      'rule #5 late 90: rule #4 rest takes every request before it',
    ],
  );
  assert.is(again?.state, 'ignored');
  assert.is(line(again?.shadows[0]?.by), 68);
});

test('another client has other routes', async () => {
  const { ports, from } = await reviews('web.front');
  assert.is(from, 'web.front');
  const last = ports[0]?.routes.at(-1);
  assert.is(last?.name, 'from-web');
  assert.is(last?.destinations[0]?.fails, 'no DestinationRule that it uses defines subset v9');
});

test('each block of the traffic policy has the level and the line that it is from', async () => {
  const { ports, subsets, destinationRules } = await reviews();
  const blocks = (i: number) => ports[i]?.trafficPolicy.map((b) => [b.block, b.text, b.level, line(b.origin)]);
  assert.equal(blocks(0), [
    ['loadBalancer', 'simple ROUND_ROBIN', 'rule', 45],
    ['tls', 'mode DISABLE', 'rule', 46],
  ]);
  // Istio: a port level replaces the blocks as a whole.
  assert.equal(blocks(1), [['connectionPool', 'tcp.maxConnections 7', 'port', 49]]);
  assert.equal(
    subsets.map((s) => [s.name, line(s.origin), s.endpoints[0]?.total, s.trafficPolicy.map((b) => [b.text, b.level, line(b.origin)])]),
    [
      ['v1', 51, 1, []],
      ['v2', 53, 0, [['simple RANDOM', 'subset', 56]]],
      ['v3', 64, 0, []],
    ],
  );
  assert.equal(
    destinationRules.map((r) => [r.origin.name, r.state]),
    [
      ['reviews', 'acts'],
      ['reviews-late', 'partly'],
    ],
  );
});

test('mTLS is what Istio would decide, by workload and port, with what clients would meet', async () => {
  const [http, tcp] = (await reviews()).ports;
  const server = (port: typeof http) => port?.mtls.server.map((s) => [s.workloads[0], s.mode, line(s.origin)]);
  assert.equal(server(http), [
    ['reviews-v1.shop', 'STRICT', 106],
    ['reviews-v2.shop', 'PERMISSIVE', 113],
  ]);
  assert.equal(server(tcp), [
    ['reviews-v1.shop', 'STRICT', 106],
    ['reviews-v2.shop', 'DISABLE', 114],
  ]);
  assert.equal([http?.mtls.client.mode, line(http?.mtls.client.origin)], ['DISABLE', 46]);
  assert.match(http?.mtls.conflict ?? '', /plain text, which reviews-v1\.shop would refuse/);
  assert.match(http?.mtls.today ?? '', /nothing intercepts connections to reviews-v1\.shop, reviews-v2\.shop/);
});

test('who sees it, and who does not and why', async () => {
  const { visibility } = await reviews();
  assert.equal(visibility.seenFrom, ['front', 'shop']);
  assert.equal(
    visibility.hiddenFrom.map((h) => [h.workloads[0], h.why, h.by?.name]),
    [['blind.dark', 'their Sidecar does not import it', 'default']],
  );
  const api = describe(await shopMesh(), 'api.');
  assert.equal(api.visibility.seenFrom, ['front']);
  assert.is(line(api.visibility.hiddenFrom[0]?.by), 133);
  assert.not.ok(describe(await shopMesh(), 'api.', 'reviews-v1.shop').visible);
});

test('gateways that expose it, with host, port and path; other hosts that lead to it', async () => {
  const { exposedBy, reachedBy } = await reviews();
  assert.equal(
    exposedBy.map((e) => [e.gateway, e.host, e.port, e.path, line(e.origin)]),
    [
      ['edge.shop', 'shop.example.com', 8080, '/reviews/v2*', 161],
      ['edge.shop', 'shop.example.com', 8080, '/reviews*', 153],
    ],
  );
  assert.equal(
    reachedBy.map((r) => [r.hosts[0], r.what, line(r.origin)]),
    [
      ['lost.example.com', 'sends requests here', 172],
      ['shop.example.com', 'sends requests here (subset v2, port 9080)', 162],
      ['shop.example.com', 'sends requests here (port 9080)', 163],
      ['shop.example.com', 'mirrors requests here (subset v1, port 9080)', 164],
    ],
  );
});

test('policies of its workloads: for which of them, what acts in their place, and what is so today', async () => {
  const { policies, workloads } = await reviews();
  assert.equal(workloads, ['reviews-v1.shop', 'reviews-v2.shop']);
  const shown = policies.map((p) => [p.origin.kind, p.origin.name, p.scope, p.workloads?.[0], p.shadow?.by?.name]);
  assert.equal(shown, [
    ['AuthorizationPolicy', 'readers', 'workload', undefined, undefined],
    ['PeerAuthentication', 'mesh', 'mesh', undefined, undefined],
    ['PeerAuthentication', 'reviews', 'workload', 'reviews-v2.shop', undefined],
    ['Telemetry', 'first', 'namespace', undefined, undefined],
    ['Telemetry', 'second', 'namespace', undefined, 'first'],
  ]);
  assert.is(policies[0]?.today, undefined);
});

test('pods that a Deployment will make are no missing endpoints', async () => {
  const mesh = await meshOf(`apiVersion: v1
kind: Service
metadata: { name: api }
spec: { selector: { app: api }, ports: [{ name: http, port: 80 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: api-v1 }
spec:
  selector: { matchLabels: { app: api } }
  template: { metadata: { labels: { app: api, version: v1 } }, spec: { containers: [{ name: c, image: i }] } }
`);
  const { ports, workloads } = describe(mesh, 'api.');
  assert.equal(workloads, ['api-v1.default']);
  assert.equal([ports[0]?.endpoints.planned, ports[0]?.routes[0]?.destinations[0]?.fails], [true, undefined]);
});

test('a service without any rule has the route that Istio makes for it', async () => {
  const mesh = await meshOf(
    'apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: { selector: { app: a }, ports: [{ port: 80, name: http }, { port: 90, name: tcp }] }\n',
  );
  const { ports, problems } = describe(mesh, 'a.');
  assert.equal(
    ports.map((p) => p.routes.map((r) => [r.conditions, r.destinations[0]?.service, r.destinations[0]?.fails])),
    [[[[], 'a.default.svc.cluster.local', 'it has no endpoints']], [[[], 'a.default.svc.cluster.local', 'it has no endpoints']]],
  );
  assert.equal(problems, []);
});

test.run();
