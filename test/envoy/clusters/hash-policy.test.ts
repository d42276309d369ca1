import { fromJson } from '@bufbuild/protobuf';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RouteAction_HashPolicySchema } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { hashesSourceIp, routeHashPolicies } from '../../../src/envoy/clusters/hash-policy.ts';
import { buildMesh } from '../../../src/mesh/mesh.ts';
import { proxiesOf } from '../../../src/mesh/proxies.ts';

/** The scope and service of a mesh whose only rule has this spec (below `host`). */
async function withRule(spec: string) {
  const { resources, problems } = await parseConfig(
    `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: a }
spec:
  hosts: [a.example]
  resolution: STATIC
  ports: [{ number: 80, name: http, protocol: HTTP }, { number: 81, name: other, protocol: HTTP }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: a }
spec: { host: a.example, ${spec} }
`,
    'mesh.yaml',
  );
  assert.equal(
    problems.filter((p) => p.severity === 'error'),
    [],
  );
  const mesh = buildMesh(resources);
  const scope = mesh.scope(proxiesOf(mesh, { addresses: [], pods: 'none' })[0]!);
  const service = scope.serviceByHost('a.example')!;
  return (port = 80, subset?: string) => {
    const policies = routeHashPolicies(scope, service, subset, { number: port });
    for (const policy of policies) fromJson(RouteAction_HashPolicySchema, policy);
    return {
      policies,
      sourceIp: hashesSourceIp(scope, service, subset, { number: port }),
      unknown: routeHashPolicies(scope, undefined, subset, { number: port }),
    };
  };
}

const hash = (consistentHash: string): string => `trafficPolicy: { loadBalancer: { consistentHash: ${consistentHash} } }`;

test('each way of telling clients apart', async () => {
  const policy = async (consistentHash: string) => (await withRule(hash(consistentHash)))().policies;
  assert.equal(await policy('{ httpHeaderName: x-user }'), [{ header: { headerName: 'x-user' } }]);
  assert.equal(await policy('{ useSourceIp: true }'), [{ connectionProperties: { sourceIp: true } }]);
  assert.equal(await policy('{ httpQueryParameterName: q }'), [{ queryParameter: { name: 'q' } }]);
  assert.equal(await policy('{ httpCookie: { name: c } }'), [{ cookie: { name: 'c' } }]);
  assert.equal(await policy('{ httpCookie: { name: c, ttl: 0s, path: /p } }'), [{ cookie: { name: 'c', ttl: '0s', path: '/p' } }]);
  assert.equal(await policy('{ httpCookie: { name: c, ttl: 1m30s, attributes: [{ name: SameSite, value: Lax }, { name: Secure }] } }'), [
    { cookie: { name: 'c', ttl: '90s', attributes: [{ name: 'SameSite', value: 'Lax' }, { name: 'Secure' }] } },
  ]);
});

test('without consistent hashing, and for unknown services, there is none', async () => {
  const found = (await withRule('trafficPolicy: { loadBalancer: { simple: RANDOM } }'))();
  assert.equal(found, { policies: [], sourceIp: false, unknown: [] });
});

test('the first found of subset port, subset, top port and top', async () => {
  const of = await withRule(`
    trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: top } }, portLevelSettings: [{ port: { number: 81 }, loadBalancer: { consistentHash: { httpHeaderName: top-81 } } }] },
    subsets: [
      { name: v1, trafficPolicy: { loadBalancer: { consistentHash: { useSourceIp: true } }, portLevelSettings: [{ port: { number: 81 }, loadBalancer: { consistentHash: { httpHeaderName: v1-81 } } }] } },
      { name: v2 },
    ]`);
  const header = (headerName: string) => [{ header: { headerName } }];
  assert.equal(of(80).policies, header('top'));
  assert.equal(of(81).policies, header('top-81'));
  assert.equal(of(80, 'v1').policies, [{ connectionProperties: { sourceIp: true } }]);
  assert.ok(of(80, 'v1').sourceIp);
  assert.equal(of(81, 'v1').policies, header('v1-81'));
  assert.equal(of(81, 'v2').policies, header('top-81'));
  assert.equal(of(80, 'none').policies, header('top'));
});

test.run();
