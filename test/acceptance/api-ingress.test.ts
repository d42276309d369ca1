/** The mesh of api-ingress.yaml as it is, with api-service and the gateway's Service beside it. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startBackend } from '../support/backend.ts';
import { createClient } from '../support/http.ts';
import { service, startMesh, testPort, workload } from '../support/mesh.ts';

const ingress = readFileSync(new URL('meshes/api-ingress.yaml', import.meta.url), 'utf8');

test('api.myapp.com/v1 reaches api-service through the gateway, /v2 and other hosts get 404, and mutual TLS is reported', async () => {
  const backend = await startBackend('api');
  const port = testPort();
  const mesh = await startMesh({
    'ingress.yaml': ingress,
    'around.yaml': `${service('api-service')}${workload('api', { app: 'api-service', version: 'stable' }, backend.port, { 'fairlead.dev/http-proxy-port': String(testPort()) })}---
apiVersion: v1
kind: Service
metadata: { name: istio-ingressgateway }
spec: { selector: { istio: ingressgateway }, ports: [{ name: http, port: 80, targetPort: ${port} }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: api-subsets }
spec:
  host: api-service
  subsets: [{ name: stable, labels: { version: stable } }]
`,
  });
  const client = createClient();
  try {
    const at = mesh.gateway('ingressgateway.default');
    assert.is(at, `127.0.0.1:${port}`);
    const host = { host: 'api.myapp.com' };
    const v1 = await client.get(`http://${at}/v1/users?x=1`, host);
    assert.is(v1.status, 200);
    assert.is(JSON.parse(v1.body).url, '/v1/users?x=1');
    assert.is((await client.get(`http://${at}/v2`, host)).status, 404);
    assert.is((await client.get(`http://${at}/v1`, { host: 'other.example.com' })).status, 404);
    // Identity is not there yet: what the rule asks for must be said, with its line.
    const said = mesh.agent.status().config.problems.find((p) => /ISTIO_MUTUAL/.test(p.message));
    assert.ok(said, JSON.stringify(mesh.agent.status().config.problems));
    assert.is(said.position?.line, 61);
    assert.ok(said.position?.file.endsWith('ingress.yaml'));
  } finally {
    client.close();
    await mesh.close();
    await backend.close();
  }
});

test.run();
