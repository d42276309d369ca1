/** Hosts that no service of the mesh has, through the explicit HTTP proxy: they are reached or refused, as the mesh says. */
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EngineChoice } from '../../agent/choose-engine.ts';
import { startBackend } from '../support/backend.ts';
import { realEnvoy } from '../support/envoy.ts';
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

/** What `curl --proxy PROXY --proxytunnel http://TO/` does: the tunnel's status, and what answers at its other end. */
function throughTunnel(proxy: string, to: string): Promise<{ status: number; said: string }> {
  const { hostname: host, port } = new URL(`http://${proxy}`);
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, method: 'CONNECT', path: to, headers: { host: to } });
    sent.on('connect', ({ statusCode: status = 0 }, socket: Socket) => {
      let said = '';
      socket.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      socket.on('error', reject).on('close', () => resolve({ status, said }));
      if (status === 200) socket.write(`GET /inside HTTP/1.1\r\nhost: ${to}\r\nconnection: close\r\n\r\n`);
      else socket.end();
    });
    sent.on('error', reject).end();
  });
}

const site = (port: number) => `apiVersion: v1
kind: Service
metadata: { name: site }
spec: { selector: { app: site }, ports: [{ name: http, port: 80 }, { name: tcp, port: 5432 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: site }
spec: { address: 127.0.0.1, ports: { http: ${port}, tcp: ${port} }, labels: { app: site } }
---
`;

const envoy = realEnvoy();
const engines: EngineChoice[] = 'path' in envoy ? ['embedded', 'envoy'] : ['embedded'];

for (const engine of engines) {
  test(`HTTPS_PROXY, engine ${engine}: CONNECT opens tunnels to HTTP and TCP services, and to what nothing knows`, async () => {
    if ('path' in envoy) process.env['ENVOY_PATH'] = envoy.path;
    const [inside, outside] = [await startBackend('inside'), await startBackend('outside')];
    const mesh = await startMesh({ 'mesh.yaml': site(inside.port) + web(testPort()) }, { engine });
    const proxy = mesh.httpProxy('web.default');
    try {
      for (const [to, who] of [
        ['site:80', 'inside'],
        ['site.default.svc.cluster.local:5432', 'inside'],
        [`localhost:${outside.port}`, 'outside'],
      ] as const) {
        const { status, said } = await throughTunnel(proxy, to);
        assert.is(status, 200, to);
        assert.match(said, `x-instance: ${who}`);
        assert.match(said, '/inside');
      }
    } finally {
      await mesh.close();
      await Promise.all([inside.close(), outside.close()]);
    }
  });

  test(`HTTPS_PROXY, engine ${engine}: REGISTRY_ONLY opens no tunnel to what nothing knows`, async () => {
    const backend = await startBackend('outside');
    const mesh = await startMesh({ 'mesh.yaml': settings('REGISTRY_ONLY'), 'web.yaml': web(testPort()) }, { engine });
    try {
      assert.is((await throughTunnel(mesh.httpProxy('web.default'), `localhost:${backend.port}`)).status, 403);
      assert.is(backend.requests, 0);
    } finally {
      await mesh.close();
      await backend.close();
    }
  });
}

test.run();
