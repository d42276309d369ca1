/** What explain says of a mesh, and what the proxy that runs it does with the same requests. */
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readDump } from '../../src/envoy/dump/read-dump.ts';
import { explainRequest } from '../../src/explain/explain.ts';
import type { HeaderLine } from '../../src/explain/types.ts';
import type { ProxyView } from '../../src/explain/view.ts';
import { viewOfDump } from '../../src/explain/view-of-dump.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { type Answer, createClient } from '../support/http.ts';
import { service, startMesh, type TestMesh, testPort, workload } from '../support/mesh.ts';
import { viewOf } from './view.ts';

const routes = `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: shop }
spec: { host: shop, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }, { name: v9, labels: { version: v9 } }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop }
spec:
  hosts: [shop]
  http:
  - name: rewritten
    match: [{ uri: { prefix: /old }, headers: { x-user: { exact: jason } } }]
    rewrite: { uri: /new, authority: inner.example }
    headers:
      request: { add: { x-added: one }, set: { x-set: "%PROTOCOL%" }, remove: [x-gone] }
      response: { add: { x-answer: two } }
    route: [{ destination: { host: shop, subset: v2 } }]
  - name: regex
    match: [{ uri: { regex: "/item/[0-9]+" }, queryParams: { kind: { exact: full } } }]
    route: [{ destination: { host: shop, subset: v1 } }]
  - name: moved
    match: [{ uri: { exact: /moved } }]
    redirect: { uri: /here, authority: there.example, redirectCode: 302 }
  - name: teapot
    match: [{ uri: { prefix: /teapot }, ignoreUriCase: true }]
    directResponse: { status: 418, body: { string: short and stout } }
  - name: broken
    match: [{ uri: { prefix: /broken } }]
    fault: { abort: { percentage: { value: 100 }, httpStatus: 503 } }
    route: [{ destination: { host: shop } }]
  - name: nobody
    match: [{ uri: { prefix: /nobody } }]
    route: [{ destination: { host: shop, subset: v9 } }]
  - name: unknown
    match: [{ uri: { prefix: /unknown } }]
    route: [{ destination: { host: shop, subset: v404 } }]
  - name: cors
    match: [{ uri: { prefix: /cors } }]
    corsPolicy: { allowOrigins: [{ exact: "https://ok.example" }], allowMethods: [GET], allowHeaders: [x-a], maxAge: 10m, allowCredentials: true }
    route: [{ destination: { host: shop, subset: v1 } }]
  - name: rest
    match: [{ uri: { prefix: /rest } }]
    route: [{ destination: { host: shop, subset: v1 } }]
`;

interface Ask {
  method?: string;
  url: string;
  headers?: Record<string, string>;
}

const asks: Ask[] = [
  { url: 'http://shop/old/x?y=1', headers: { 'x-user': 'jason', 'x-gone': '1', 'x-set': 'mine' } },
  { url: 'http://shop/old/x', headers: { 'x-user': 'Jason' } },
  { url: 'http://shop/item/17?kind=full' },
  { url: 'http://shop/item/17x?kind=full' },
  { url: 'http://shop/item/17?kind=half' },
  { url: 'http://shop/moved?keep=1' },
  { url: 'http://shop/TEAPOT/long' },
  { url: 'http://shop/broken' },
  { url: 'http://shop/nobody' },
  { url: 'http://shop/unknown' },
  { method: 'OPTIONS', url: 'http://shop/cors', headers: { origin: 'https://ok.example', 'access-control-request-method': 'GET' } },
  { method: 'OPTIONS', url: 'http://shop/cors', headers: { origin: 'https://bad.example', 'access-control-request-method': 'GET' } },
  { url: 'http://shop/cors', headers: { origin: 'https://ok.example' } },
  { url: 'http://shop/cors', headers: { origin: 'https://bad.example' } },
  { url: 'http://shop/a/../rest/%7Ea' },
  { url: 'http://shop/rest', headers: { 'x-envoy-max-retries': '3', connection: 'x-hop', 'x-hop': '1' } },
  { url: 'http://shop.default.svc.cluster.local:80/rest' },
  { url: 'http://shop:8080/rest' },
];

/** Names whose values are the connection's or made up, and those of the transport. */
const NOT_COMPARED = new Set([
  'x-request-id',
  'x-forwarded-for',
  'x-envoy-external-address',
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'date',
  'server',
  'x-envoy-upstream-service-time',
  'content-type',
  'x-instance',
  'keep-alive',
  // Of the proxy in front of the workload, which a dump of the client's knows nothing of.
  'x-forwarded-client-cert',
]);

function comparable(lines: readonly HeaderLine[]): string[] {
  return lines
    .filter(([name]) => !NOT_COMPARED.has(name))
    .map(([name, value]) => `${name}: ${value}`)
    .sort();
}

const linesOf = (headers: IncomingHttpHeaders): HeaderLine[] =>
  Object.entries(headers).map(([name, value]) => [name, String(value)] as const);

/** Every outcome that explain calls certain must be what happened. */
function compare(view: ProxyView, ask: Ask, answer: Answer, ports: Readonly<Record<string, number>>): string {
  const { method = 'GET', url, headers = {} } = ask;
  const told = explainRequest(view, { method, url, headers: Object.entries(headers) });
  const what = `${method} ${url} ${JSON.stringify(headers)}: told ${JSON.stringify(told.outcomes[0], null, 1)}, got ${answer.status} ${answer.body}`;
  assert.ok(told.decidable, what);
  const [outcome] = told.outcomes;
  assert.ok(outcome);
  if (outcome.type === 'forward' || outcome.type === 'passthrough') {
    assert.is(answer.status, 200, what);
    const seen = JSON.parse(answer.body) as { instance: string; method: string; url: string; headers: IncomingHttpHeaders };
    assert.is(`127.0.0.1:${ports[seen.instance]}`, outcome.destination?.endpoints.find((e) => e.share === 1)?.address, what);
    assert.is(seen.method, outcome.upstream?.method, what);
    assert.is(seen.url, outcome.upstream?.path, what);
    assert.is(seen.headers.host, outcome.upstream?.authority, what);
    assert.equal(comparable(outcome.upstream?.headers ?? []), comparable(linesOf(seen.headers)), what);
  } else {
    assert.is(answer.status, outcome.status, what);
    assert.is(answer.body, outcome.body ?? '', what);
    assert.is(answer.headers.location, outcome.location, what);
  }
  assert.equal(
    comparable(outcome.responseHeaders.filter(([name]) => name !== 'location')),
    comparable(linesOf(answer.headers).filter(([name]) => name !== 'location')),
    what,
  );
  return outcome.type;
}

async function runningView(mesh: TestMesh, name: string): Promise<ProxyView> {
  const { body } = await mesh.agent.engine.admin(mesh.proxy(name).id, 'GET', '/config_dump?include_eds');
  return viewOfDump(await readDump(body.toString('utf8'), name));
}

async function closing(backends: readonly Backend[], mesh: TestMesh): Promise<void> {
  await mesh.close();
  for (const backend of backends) await backend.close();
}

test('a sidecar answers, forwards and rewrites as explain says, from its files and from its dump', async () => {
  const v1 = await startBackend('v1');
  const v2 = await startBackend('v2');
  const http = { 'fairlead.dev/http-proxy-port': String(testPort()) };
  const mesh = await startMesh({
    'shop.yaml': `${service('shop')}${workload('shop-v1', { app: 'shop', version: 'v1' }, v1.port, http)}${workload('shop-v2', { app: 'shop', version: 'v2' }, v2.port, { 'fairlead.dev/http-proxy-port': String(testPort()) })}${routes}`,
    'settings.yaml':
      '---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: { name: default }\nspec: { outboundTrafficPolicy: { mode: REGISTRY_ONLY }, egress: [{ hosts: ["*/*"] }] }\n',
  });
  const client = createClient(mesh.httpProxy('shop-v1.default'));
  try {
    const views = [await viewOf([mesh.folder], 'shop-v1'), await runningView(mesh, 'shop-v1.default')];
    const types = new Set<string>();
    for (const ask of asks) {
      const answer = await client.send(ask.method ?? 'GET', ask.url, ask.headers);
      for (const view of views) types.add(compare(view, ask, answer, { v1: v1.port, v2: v2.port }));
    }
    assert.equal([...types].sort(), ['aborted', 'direct-response', 'forward', 'no-cluster', 'no-endpoints', 'no-route', 'redirect']);
  } finally {
    client.close();
    await closing([v1, v2], mesh);
  }
});

test('the gateway of api-ingress does what explain says', async () => {
  const backend = await startBackend('api');
  const port = testPort();
  // Where its proxy takes mutual TLS for it, as the rule of api-ingress asks.
  const taken = testPort();
  const ingress = readFileSync(new URL('../acceptance/meshes/api-ingress.yaml', import.meta.url), 'utf8');
  const mesh = await startMesh({
    'ingress.yaml': ingress,
    'around.yaml': `${service('api-service')}${workload('api', { app: 'api-service', version: 'stable' }, taken, { 'fairlead.dev/http-proxy-port': String(testPort()) })}---
apiVersion: v1
kind: Service
metadata: { name: istio-ingressgateway }
spec: { selector: { istio: ingressgateway }, ports: [{ name: http, port: 80, targetPort: ${port} }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: api-subsets }
spec: { host: api-service, subsets: [{ name: stable, labels: { version: stable } }] }
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: api }
spec:
  workloadSelector: { labels: { app: api-service } }
  ingress: [{ port: { number: ${taken}, protocol: HTTP }, bind: 127.0.0.1, captureMode: NONE, defaultEndpoint: 127.0.0.1:${backend.port} }]
`,
  });
  const client = createClient();
  try {
    const views = [await viewOf([mesh.folder], 'ingressgateway.default'), await runningView(mesh, 'ingressgateway.default')];
    for (const [path, host] of [
      ['/v1/users?x=1', 'api.myapp.com'],
      ['/v1/users', 'API.myapp.com:80'],
      ['/v2', 'api.myapp.com'],
      ['/v1', 'other.example.com'],
    ] as const) {
      const answer = await client.get(`http://${mesh.gateway('ingressgateway.default')}${path}`, { host });
      for (const view of views) compare(view, { url: `http://127.0.0.1:${port}${path}`, headers: { host } }, answer, { api: taken });
    }
  } finally {
    client.close();
    await closing([backend], mesh);
  }
});

test('the split of payments-split is the split that explain tells', async () => {
  const instances = { v1: await startBackend('v1'), v2: await startBackend('v2') };
  const split = readFileSync(new URL('../acceptance/meshes/payments-split.yaml', import.meta.url), 'utf8');
  const mesh = await startMesh({
    'split.yaml': split,
    'around.yaml': `${service('payments')}${Object.entries(instances)
      .map(([version, backend]) =>
        workload(`payments-${version}`, { app: 'payments', version }, backend.port, { 'fairlead.dev/http-proxy-port': String(testPort()) }),
      )
      .join('')}---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: payments }
spec: { host: payments, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
`,
  });
  const client = createClient(mesh.httpProxy('payments-v1.default'));
  try {
    const told = explainRequest(await runningView(mesh, 'payments-v1.default'), { method: 'GET', url: 'http://payments.myapp.com/' });
    const times = 2000;
    const seen: Record<string, number> = {};
    for (let i = 0; i < times; i += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => client.get('http://payments.myapp.com/')));
      for (const { headers } of answers) seen[String(headers['x-instance'])] = (seen[String(headers['x-instance'])] ?? 0) + 1;
    }
    assert.not(told.decidable);
    for (const { share, destination } of told.outcomes) {
      const got = (seen[destination?.subset ?? ''] ?? 0) / times;
      assert.ok(
        Math.abs(got - share) <= 5 * Math.sqrt((share * (1 - share)) / times) + 1e-9,
        `${destination?.subset}: told ${share}, got ${got}`,
      );
    }
  } finally {
    client.close();
    await closing(Object.values(instances), mesh);
  }
});

test.run();
