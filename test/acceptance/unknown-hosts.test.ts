/** Hosts that no service of the mesh has, through the explicit HTTP proxy: they are reached or refused, as the mesh says. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startBackend } from '../support/backend.ts';
import { createClient } from '../support/http.ts';
import { startMesh, testPort, workload } from '../support/mesh.ts';

const web = (port: number) => workload('web', { app: 'web' }, 9, { 'fairlead.dev/http-proxy-port': String(port) });

const settings = (mode: string) => `---
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |
    outboundTrafficPolicy: { mode: ${mode} }
`;

test('what nothing knows is reached under the name that the client gave it, and the proxy itself is not', async () => {
  const backend = await startBackend('outside');
  const mesh = await startMesh({ 'web.yaml': web(testPort()) });
  const proxy = mesh.httpProxy('web.default');
  const client = createClient(proxy);
  try {
    const answer = await client.get(`http://localhost:${backend.port}/a?b=1`);
    assert.is(answer.status, 200, answer.body);
    assert.is(answer.headers['x-instance'], 'outside');
    assert.is(JSON.parse(answer.body).url, '/a?b=1');
    assert.is(JSON.parse(answer.body).headers.host, `localhost:${backend.port}`);
    assert.is((await client.get(`http://127.0.0.1:${backend.port}/`)).status, 200);
    // Would go round for ever.
    const own = await client.get(`http://${proxy}/`);
    assert.is(own.status, 421);
    assert.match(own.body, `HTTP_PROXY=http://${proxy}`);
  } finally {
    client.close();
    await mesh.close();
    await backend.close();
  }
});

test('a host whose name nobody can look up gives 503', async () => {
  const mesh = await startMesh({ 'web.yaml': web(testPort()) });
  const client = createClient(mesh.httpProxy('web.default'));
  try {
    assert.is((await client.get('http://nobody.invalid/')).status, 503);
  } finally {
    client.close();
    await mesh.close();
  }
});

test('REGISTRY_ONLY refuses them with 502', async () => {
  const backend = await startBackend('outside');
  const mesh = await startMesh({ 'mesh.yaml': settings('REGISTRY_ONLY'), 'web.yaml': web(testPort()) });
  const client = createClient(mesh.httpProxy('web.default'));
  try {
    assert.is((await client.get(`http://127.0.0.1:${backend.port}/`)).status, 502);
    assert.is(backend.requests, 0);
  } finally {
    client.close();
    await mesh.close();
    await backend.close();
  }
});

test.run();
