/** The reverse view: what each kind touches, and what stands in its way. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { described, meshOf, shopMesh } from './support.ts';

const mesh = await shopMesh();
const at = (name: string) => described(mesh, name);

test('a VirtualService: its rules, where each is run, and by what it is shadowed', () => {
  const { state, routes, workloads, services } = at('VirtualService shop/reviews');
  assert.is(state, 'partly');
  assert.equal(services, [{ host: 'reviews.shop.svc.cluster.local', ports: [9080, 9090] }]);
  assert.equal(workloads, ['reviews-v1.shop', 'reviews-v2.shop', 'web.front']);
  assert.equal(
    routes.map((r) => [r.number, r.name, r.conditions, r.at.length, r.shadow?.by?.line]),
    [
      [1, 'api', ['path starts with "/api"'], 2, undefined],
      [2, 'api-v2', ['path starts with "/api/v2"'], 0, 73],
      [2, 'api-v2', ['path is "/new"'], 2, undefined],
      [3, 'from-web', ['the client has labels app=web'], 1, undefined],
      [4, 'rest', [], 1, undefined],
      [5, 'late', ['path starts with "/late"'], 0, 85],
      [1, '', ['port is 9090'], 1, undefined],
    ],
  );
  assert.equal(routes[3]?.at, ['reviews.shop.svc.cluster.local:9080 in web.front']);
});

test('a VirtualService whose host another one has, one without a gateway, a gateway’s, and a delegate', () => {
  const again = at('VirtualService shop/reviews-again');
  assert.equal([again.state, again.shadows[0]?.by?.line, again.workloads.length], ['ignored', 68, 0]);
  const lost = at('VirtualService shop/lost');
  assert.is(lost.state, 'ignored');
  assert.match(lost.shadows[0]?.why ?? '', /there is no such gateway/);
  const edge = at('VirtualService shop/edge');
  assert.equal(edge.workloads, ['edge.shop']);
  assert.equal(
    edge.routes.map((r) => [r.origin?.name, r.origin?.line, r.answer]),
    [
      ['part', 161, undefined],
      ['edge', 153, undefined],
      ['edge', 154, '301 to https://'],
    ],
  );
  assert.equal(at('VirtualService shop/part').facts, [['used by', 'VirtualService shop/edge']]);
});

test('a DestinationRule: what of it is used, by whom, for which ports', () => {
  const first = at('DestinationRule shop/reviews');
  assert.is(first.state, 'acts');
  assert.equal(
    first.trafficPolicy.map((b) => [b.block, b.port]),
    [
      ['loadBalancer', undefined],
      ['tls', undefined],
      ['connectionPool', 9090],
    ],
  );
  const late = at('DestinationRule shop/reviews-late');
  assert.equal([late.state, late.subsets.map((s) => s.name), late.trafficPolicy.length], ['partly', ['v3'], 0]);
  assert.match(late.shadows[0]?.why ?? '', /sets the trafficPolicy .* already/);
});

test('a Gateway: what is behind it, delegates included', () => {
  const edge = at('Gateway shop/edge');
  assert.equal(edge.workloads, ['edge.shop']);
  assert.equal(
    edge.exposes.map((e) => [e.port, e.path]),
    [
      [8080, '/reviews/v2*'],
      [8080, '/reviews*'],
      [8080, '/login'],
    ],
  );
});

test('policies: the workloads that they are for, less those where another takes their place', () => {
  const strict = at('PeerAuthentication istio-system/mesh');
  assert.equal([strict.state, strict.workloads], ['partly', ['blind.dark', 'reviews-v1.shop', 'web.front']]);
  assert.match(strict.shadows[0]?.why ?? '', /^reviews-v2\.shop: a narrower PeerAuthentication/);
  const readers = at('AuthorizationPolicy shop/readers');
  assert.equal(readers.services, [{ host: 'reviews.shop.svc.cluster.local', ports: [9080, 9090] }]);
  assert.equal(readers.problems, []);
  assert.equal(
    [at('WasmPlugin shop/nobody').state, at('WasmPlugin shop/nobody').shadows[0]?.why],
    ['ignored', 'no workload has the labels app nobody'],
  );
  assert.equal([at('Telemetry shop/second').state, at('Telemetry shop/second').shadows[0]?.by?.name], ['ignored', 'first']);
  const attached = at('AuthorizationPolicy shop/attached');
  assert.is(attached.state, 'ignored');
  assert.match(attached.problems[0]?.message ?? '', /applies to nothing/);
});

test('a Sidecar and a ServiceEntry', () => {
  const wide = at('Sidecar shop/wide');
  assert.equal([wide.state, wide.workloads, wide.shadows[0]?.by?.name], ['partly', ['reviews-v2.shop'], 'narrow']);
  assert.equal(at('Sidecar dark/default').workloads, ['blind.dark']);
  const ext = at('ServiceEntry front/ext');
  assert.equal(ext.workloads, ['web.front']);
  assert.equal(ext.services[0]?.ports, [443]);
});

/** Istio: the narrowest that is not UNSET; of equals the oldest; by port first, of policies with a selector; none of the root namespace's with one. */
const peers: [name: string, policies: string[], expected: [mode: string, from: string | undefined]][] = [
  ['nothing', [], ['PERMISSIVE', undefined]],
  ['the mesh', ['istio-system mesh STRICT'], ['STRICT', 'mesh']],
  ['the namespace before the mesh', ['istio-system mesh STRICT', 'default ns DISABLE'], ['DISABLE', 'ns']],
  ['the workload before the namespace', ['default ns DISABLE', 'default own STRICT app=a'], ['STRICT', 'own']],
  ['UNSET inherits', ['istio-system mesh STRICT', 'default ns UNSET', 'default own UNSET app=a'], ['STRICT', 'mesh']],
  ['a port before the workload', ['default own STRICT app=a 80=DISABLE'], ['DISABLE', 'own']],
  ['another port', ['default own STRICT app=a 81=DISABLE'], ['STRICT', 'own']],
  ['another workload', ['default own STRICT app=b'], ['PERMISSIVE', undefined]],
  ['a selector in the root namespace', ['istio-system own STRICT app=a'], ['PERMISSIVE', undefined]],
];

for (const [name, policies, [mode, from]] of peers)
  test(`mTLS: ${name}`, async () => {
    const documents = policies.map((text) => {
      const [namespace, own, of, label, port] = text.split(' ');
      const selector = label === undefined ? {} : { selector: { matchLabels: { [label.split('=')[0]!]: label.split('=')[1] } } };
      const ports = port === undefined ? {} : { portLevelMtls: { [port.split('=')[0]!]: { mode: port.split('=')[1] } } };
      return JSON.stringify({
        apiVersion: 'security.istio.io/v1',
        kind: 'PeerAuthentication',
        metadata: { name: own, namespace },
        spec: { mtls: { mode: of }, ...selector, ...ports },
      });
    });
    const { mtlsMode } = await import('../../src/describe/mtls.ts');
    const made = await meshOf(['apiVersion: v1\nkind: Namespace\nmetadata: { name: x }\n', ...documents].join('\n---\n'));
    const found = mtlsMode(made, { namespace: 'default', labels: { app: 'a' } }, 80);
    assert.equal([found.mode, found.origin?.name], [mode, from]);
  });

test.run();
