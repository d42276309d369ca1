// test: exclusive
/** Policies of every kind on the real Envoy, with real servers for keys and decisions. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { realEnvoy } from '../../support/envoy.ts';
import { startMesh, testPort } from '../../support/mesh.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256' }] });

function token(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 600;
  const text = `${part({ alg: 'ES256', kid: 'k' })}.${part({ sub: 'u', exp, ...claims })}`;
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `Bearer ${text}.${signature.toString('base64url')}`;
}

async function serve(handler: RequestListener): Promise<{ port: number; close(): void }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close().closeAllConnections() };
}

const meshOf = (listen: number, appPort: number, keysPort: number, authzPort: number): string => `apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data: { mesh: "extensionProviders: [{name: keys, envoyExtAuthzHttp: {service: authz.local, port: ${authzPort}, includeRequestHeadersInCheck: [x-api-key], headersToUpstreamOnAllow: [x-partner]}}]" }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: authz }
spec: { hosts: [authz.local], resolution: STATIC, ports: [{ number: ${authzPort}, name: http, protocol: HTTP }], endpoints: [{ address: 127.0.0.1 }] }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: payments }
spec: { hosts: [payments.local], location: MESH_INTERNAL, resolution: STATIC, ports: [{ number: 80, name: http, protocol: HTTP, targetPort: ${listen} }], workloadSelector: { labels: { app: payments } } }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: payments }
spec: { address: 127.0.0.1, serviceAccount: payments, labels: { app: payments } }
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: payments }
spec:
  workloadSelector: { labels: { app: payments } }
  ingress: [{ port: { number: ${listen}, name: http, protocol: HTTP }, bind: 127.0.0.1, captureMode: NONE, defaultEndpoint: "127.0.0.1:${appPort}" }]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: users }
spec: { selector: { matchLabels: { app: payments } }, jwtRules: [{ issuer: me, jwksUri: "http://127.0.0.1:${keysPort}/keys", outputClaimToHeaders: [{ header: x-user, claim: sub }] }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ask }
spec: { selector: { matchLabels: { app: payments } }, action: CUSTOM, provider: { name: keys }, rules: [{ to: [{ operation: { paths: ["/partners/*"] } }] }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: deny }
spec: { selector: { matchLabels: { app: payments } }, action: DENY, rules: [{ to: [{ operation: { paths: ["/secret*"] } }] }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: allow }
spec:
  selector: { matchLabels: { app: payments } }
  rules:
    - to: [{ operation: { paths: ["/partners/*", "/open", "/secret/x"] } }]
    - to: [{ operation: { paths: ["/users/{*}/x"] } }]
      when: [{ key: "request.auth.claims[groups]", values: [admin] }]
`;

const found = realEnvoy();
if ('missing' in found) {
  console.log(`SKIP policies on Envoy: ${found.missing}`);
  test.skip('Envoy carries policies out', () => undefined);
} else {
  test('Envoy carries policies out', async () => {
    let fetched = 0;
    const asked: string[] = [];
    const app = await serve((request, response) => response.end(JSON.stringify(request.headers)));
    const keys = await serve((_, response) => {
      fetched++;
      response.end(jwks);
    });
    const authz = await serve((request, response) => {
      const key = request.headers['x-api-key'];
      asked.push(`${request.method} ${request.url} ${key}`);
      response.writeHead(key === 'good' ? 200 : 401, { 'x-partner': 'p' }).end('who are you');
    });
    const listen = testPort();
    const before = process.env['ENVOY_PATH'];
    process.env['ENVOY_PATH'] = found.path;
    const mesh = await startMesh({ 'mesh.yaml': meshOf(listen, app.port, keys.port, authz.port) }, { engine: 'envoy' });
    const get = async (path: string, headers: Record<string, string> = {}): Promise<[number, string, IncomingHttpHeaders | undefined]> => {
      const response = await fetch(`http://127.0.0.1:${listen}${path}`, { headers });
      const body = await response.text();
      return [response.status, body, body.startsWith('{') ? (JSON.parse(body) as IncomingHttpHeaders) : undefined];
    };
    const status = async (path: string, headers?: Record<string, string>): Promise<number> => (await get(path, headers))[0];
    try {
      assert.equal(
        mesh.agent.status().proxies.flatMap((p) => p.problems ?? []),
        [],
      );
      assert.is(await status('/open'), 200);
      assert.equal((await get('/none')).slice(0, 2), [403, 'RBAC: access denied'], 'no rule allows it');
      assert.is(await status('/secret/x'), 403, 'DENY comes before ALLOW');
      assert.equal((await get('/partners/a')).slice(0, 2), [401, 'who are you'], 'the provider says no');
      assert.is((await get('/partners/a', { 'x-api-key': 'good' }))[2]?.['x-partner'], 'p', 'and yes');
      assert.equal(asked, ['GET /partners/a undefined', 'GET /partners/a good'], 'about what its policy matches only');
      assert.is(await status('/users/a/x'), 403, 'without a token');
      const admin = { authorization: token({ iss: 'me', groups: ['users', 'admin'] }) };
      assert.is((await get('/users/a/x', admin))[2]?.['x-user'], 'u', 'the claim is sent on');
      assert.is(await status('/users/a/b/x', admin), 403, 'a template’s {*} is one segment');
      assert.is(await status('/users/a/x', { authorization: token({ iss: 'me', groups: ['users'] }) }), 403, 'without the claim');
      assert.is(await status('/open', { authorization: token({ iss: 'other' }) }), 401, 'of another issuer');
      assert.is(await status('/open', { authorization: `${token({ iss: 'me' }).slice(0, -4)}AAAA` }), 401, 'tampered with');
      // Each worker of Envoy has a cache of its own.
      assert.ok(fetched >= 1 && fetched <= availableParallelism(), `keys were fetched ${fetched} times`);
    } finally {
      await mesh.close();
      for (const server of [app, keys, authz]) server.close();
      if (before === undefined) delete process.env['ENVOY_PATH'];
      else process.env['ENVOY_PATH'] = before;
    }
  });
}

test.run();
