import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { describeResource } from '../../src/describe/resource.ts';
import type { ResourceDescription } from '../../src/describe/types.ts';
import { meshOf } from '../mesh/fixture.ts';

const mesh = await meshOf(`apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web }
spec:
  gatewayClassName: fairlead
  listeners:
    - { name: http, port: 8080, protocol: HTTP }
    - { name: udp, port: 53, protocol: UDP }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: cart }
spec:
  parentRefs: [{ name: web }, { name: nobody }]
  hostnames: [cart.test]
  rules:
    - matches: [{ path: { value: /api } }]
      backendRefs: [{ name: cart, port: 80 }, { name: gone, port: 80 }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: lost }
spec: { rules: [] }
---
apiVersion: v1
kind: Service
metadata: { name: cart }
spec: { ports: [{ name: http, port: 80 }] }
`);

function described(kind: string, name: string): ResourceDescription {
  return describeResource(mesh, mesh.resources.find((r) => r.kind === kind && r.metadata.name === name)!);
}

test('a Gateway: its status, its listeners, who serves it and what it exposes', () => {
  const { state, shadows, workloads, facts, exposes } = described('Gateway', 'web');
  assert.is(state, 'partly');
  assert.equal(
    shadows.map((s) => [s.why, s.by?.line]),
    [['UnsupportedProtocol: nothing here listens with protocol UDP', 8]],
  );
  assert.equal(workloads, ['web.default']);
  assert.equal(facts, [
    ['status', 'Accepted, Programmed'],
    ['listener http', '8080 HTTP for *; 1 routes; Accepted, ResolvedRefs, Programmed'],
    ['listener udp', '53 UDP for *; 0 routes; not Accepted: UnsupportedProtocol, ResolvedRefs, not Programmed: Invalid'],
  ]);
  assert.equal(
    exposes.map((e) => [e.host, e.path, e.origin?.kind, e.origin?.line]),
    [['cart.test', '/api/*', 'HTTPRoute', 17]],
  );
});

test('a route: its parents, and what of it leads nowhere', () => {
  const { state, shadows, services, facts } = described('HTTPRoute', 'cart');
  assert.is(state, 'partly');
  assert.equal(
    shadows.map((s) => s.by?.line),
    [14, 18],
  );
  assert.equal(services, [{ host: 'cart.default.svc.cluster.local', ports: [80] }]);
  assert.equal(
    facts.map(([parent]) => parent),
    ['parentRefs[0]', 'parentRefs[1]'],
  );
});

test('a route that is attached to nothing', () => {
  const { state, shadows } = described('HTTPRoute', 'lost');
  assert.equal([state, shadows[0]?.why], ['ignored', 'it has no parentRefs: it is attached to nothing']);
});

test.run();
