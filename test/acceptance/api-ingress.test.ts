/** The mesh of api-ingress.yaml as it is, with api-service and the gateway's Service beside it, on both engines. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EngineChoice } from '../../agent/choose-engine.ts';
import { startBackend } from '../support/backend.ts';
import { realEnvoy } from '../support/envoy.ts';
import { createClient } from '../support/http.ts';
import { secured, service, startMesh, testPort } from '../support/mesh.ts';

const ingress = readFileSync(new URL('meshes/api-ingress.yaml', import.meta.url), 'utf8');
const envoy = realEnvoy();
const engines: EngineChoice[] = 'path' in envoy ? ['embedded', 'envoy'] : ['embedded'];

for (const engine of engines) {
  test(`${engine}: api.myapp.com/v1 reaches api-service over mutual TLS, /v2 and other hosts get 404`, async () => {
    if ('path' in envoy) process.env['ENVOY_PATH'] = envoy.path;
    const backend = await startBackend('api');
    const [port, inbound] = [testPort(), testPort()];
    const mesh = await startMesh(
      {
        'ingress.yaml': ingress,
        'around.yaml': `${service('api-service', 80)}${secured('api-service', inbound, backend.port, { version: 'stable' })}---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: api-service }
spec: { selector: { matchLabels: { app: api-service } }, mtls: { mode: STRICT } }
---
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
      },
      { engine },
    );
    const client = createClient();
    try {
      const at = mesh.gateway('ingressgateway.default');
      assert.is(at, `127.0.0.1:${port}`);
      const host = { host: 'api.myapp.com' };
      const v1 = await client.get(`http://${at}/v1/users?x=1`, host);
      assert.is(v1.status, 200, v1.body);
      const { url, headers } = JSON.parse(v1.body) as { url: string; headers: Record<string, string> };
      assert.is(url, '/v1/users?x=1');
      assert.match(
        headers['x-forwarded-client-cert'] ?? '',
        /^By=spiffe:\/\/cluster\.local\/ns\/default\/sa\/api-service;.*URI=spiffe:\/\/cluster\.local\//,
      );
      assert.is((await client.get(`http://${at}/v2`, host)).status, 404);
      assert.is((await client.get(`http://${at}/v1`, { host: 'other.example.com' })).status, 404);
      assert.equal(
        mesh.agent
          .status()
          .config.problems.filter((p) => p.severity === 'error')
          .map((p) => p.message),
        [],
      );
    } finally {
      client.close();
      await mesh.close();
      await backend.close();
    }
  });
}

test.run();
