/** The same requests through both engines give the same spans, at a real collector: Zipkin's JSON, OTLP over HTTP and over gRPC. */
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Backend, startBackend } from '../support/backend.ts';
import { realEnvoy } from '../support/envoy.ts';
import { createClient, until } from '../support/http.ts';
import { service, testPort, workload } from '../support/mesh.ts';
import { grpcCall, startGrpc } from './support/grpc.ts';
import { type ReceivedSpan, type SpanReceiver, startSpanReceiver } from './support/span-receiver.ts';
import { type RunningProxy, runEmbedded, runEnvoy } from './support/two-proxies.ts';

const envoy = realEnvoy();
let backend: Backend;
let grpc: Http2Server;
let collector: SpanReceiver;
/** Headers of requests that reached the backend, by path. */
const arrived = new Map<string, IncomingHttpHeaders>();

test.before(async () => {
  backend = await startBackend('web');
  backend.handler = (request, response) => {
    arrived.set(request.url ?? '', request.headers);
    request.resume().on('end', () => response.writeHead(request.url === '/fails' ? 500 : 200, { 'content-length': 5 }).end('hello'));
  };
  grpc = startGrpc();
  await new Promise<void>((resolve) => grpc.listen(0, '127.0.0.1', resolve));
  collector = await startSpanReceiver();
});

test.after(async () => {
  collector.close();
  grpc.close();
  await backend.close();
});

const PROVIDERS = {
  zipkin: 'zipkin: { service: tracing.example.com, port: 9411 }',
  'zipkin with W3C':
    'zipkin: { service: tracing.example.com, port: 9411, traceContextOption: USE_B3_WITH_W3C_PROPAGATION, enable64bitTraceId: true }',
  'OTLP over HTTP':
    'opentelemetry: { service: tracing.example.com, port: 9411, http: { path: /v1/traces, timeout: 2s, headers: [{ name: x-key, value: secret }] } }',
  'OTLP over gRPC': 'opentelemetry: { service: tracing.example.com, port: 4317 }',
} as const;

const meshOf = (provider: string): string => `
${service('web')}${workload('web-1', { app: 'web', version: 'v1' }, backend.port)}
${service('gone')}${workload('gone-1', { app: 'gone' }, 9)}
---
apiVersion: v1
kind: Service
metadata: { name: greeter }
spec: { selector: { app: greeter }, ports: [{ name: grpc, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: greeter-1 }
spec: { address: 127.0.0.1, ports: { grpc: ${(grpc.address() as AddressInfo).port} }, labels: { app: greeter } }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: tracing }
spec:
  hosts: [tracing.example.com]
  resolution: STATIC
  ports: [{ number: 9411, name: http, protocol: HTTP }, { number: 4317, name: grpc, protocol: GRPC }]
  endpoints: [{ address: 127.0.0.1, ports: { http: ${collector.port}, grpc: ${collector.grpcPort} } }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |
    extensionProviders: [{ name: spans, ${provider} }]
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: spans, namespace: istio-system }
spec:
  tracing:
  - providers: [{ name: spans }]
    randomSamplingPercentage: 100
    customTags:
      color: { literal: { value: blue } }
      who: { header: { name: X-User, defaultValue: nobody } }
      missing: { header: { name: x-none } }
      place: { environment: { name: FAIRLEAD_NO_SUCH, defaultValue: here } }
      outcome: { formatter: { value: "%RESPONSE_CODE% %ROUTE_NAME%" } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web }
spec:
  hosts: [web]
  http:
  - { name: old, match: [{ uri: { prefix: /old } }], rewrite: { uri: /new }, route: [{ destination: { host: web } }] }
  - { match: [{ uri: { prefix: /direct } }], directResponse: { status: 503 } }
  - { retries: { attempts: 0 }, route: [{ destination: { host: web } }] }
`;

const trace = (): string => randomBytes(16).toString('hex');
const PARENT = 'a2fb4a1d1a96d312';

interface Deed {
  headers?: Record<string, string>;
  url?: string;
  grpc?: string;
  /** No span is made. */
  unsampled?: boolean;
}

const B3 = trace();
const W3C = trace();
const DEEDS: Readonly<Record<string, Deed>> = {
  root: { url: '/root?x=y', headers: { 'x-user': 'mary', 'user-agent': 'tester' } },
  'child by B3': { url: '/b3', headers: { 'x-b3-traceid': B3, 'x-b3-spanid': PARENT, 'x-b3-sampled': '1' } },
  'child by one B3 header': { url: '/b3-single', headers: { b3: `${B3}-${PARENT}-1` } },
  'child by W3C': { url: '/w3c', headers: { traceparent: `00-${W3C}-${PARENT}-01`, tracestate: 'a=b' } },
  'told not to': {
    url: '/not',
    headers: { 'x-b3-traceid': B3, 'x-b3-spanid': PARENT, 'x-b3-sampled': '0', traceparent: `00-${W3C}-${PARENT}-00` },
    unsampled: true,
  },
  rewritten: { url: '/old/1' },
  'long path': { url: `/${'long/'.repeat(80)}` },
  failed: { url: '/fails' },
  'direct response': { url: '/direct' },
  'gRPC call': { grpc: '/greet.Greeter/Two' },
  'gRPC failure': { grpc: '/greet.Greeter/Fail' },
};

async function act(proxy: RunningProxy, { url = '', grpc: method, headers }: Deed): Promise<void> {
  if (method !== undefined) {
    await grpcCall(proxy.httpProxy, 'greeter', method, ['x']);
    return;
  }
  const client = createClient(proxy.httpProxy);
  await client.get(`http://web${url}`, headers);
  client.close();
}

const TRACE_HEADERS = [
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'traceparent',
  'tracestate',
  'x-envoy-decorator-operation',
];

/** Ids of a proxy's own are replaced by what they are: what is left must be equal. */
function comparable(span: ReceivedSpan | undefined, headers: IncomingHttpHeaders | undefined): unknown {
  const own = new Map<string, string>();
  const known = new Set([B3, W3C, PARENT]);
  const hide = (text: string): string =>
    text.replace(/[\da-f]{16,32}/g, (id) => {
      if (known.has(id) || known.has(id.slice(16))) return id;
      if (id === span?.traceId) return `TRACE${id.length}${id.endsWith(span.id) ? ' which ends in the span' : ''}`;
      if (id === span?.id) return 'SPAN';
      if (!own.has(id)) own.set(id, `OTHER${id.length}`);
      return own.get(id)!;
    });
  const sent = TRACE_HEADERS.filter((h) => headers?.[h] !== undefined).map((h) => `${h}: ${hide(String(headers?.[h]))}`);
  if (span === undefined) return { sent };
  const { traceId, id, parentId, name, kind, service: from, tags, duration } = span;
  assert.ok(duration >= 1, 'it took some time');
  assert.match(tags['guid:x-request-id'] ?? '', /^[\da-f-]{36}$/);
  const { 'guid:x-request-id': _, ...rest } = tags;
  const raw = span.raw as { annotations?: { value: string }[]; status?: unknown };
  const form = { annotations: raw.annotations?.map((a) => a.value), status: raw.status };
  return { trace: hide(traceId), id: hide(id), parentId: hide(parentId), name, kind, from, tags: rest, form, sent };
}

if ('missing' in envoy) {
  test.skip(`same spans from both engines (no Envoy: ${envoy.missing})`, () => undefined);
} else {
  for (const [name, provider] of Object.entries(PROVIDERS)) {
    test(`same spans from both engines: ${name}`, async () => {
      const proxies = [await runEmbedded(meshOf(provider), testPort()), await runEnvoy(envoy.path, meshOf(provider), testPort())] as const;
      const made: { headers: (IncomingHttpHeaders | undefined)[]; spans: ReceivedSpan[] }[] = [];
      const sampled = Object.values(DEEDS).filter((d) => !d.unsampled);
      try {
        for (const proxy of proxies) {
          const headers: (IncomingHttpHeaders | undefined)[] = [];
          const before = collector.spans.length;
          for (const deed of Object.values(DEEDS)) {
            arrived.clear();
            await act(proxy, deed);
            headers.push([...arrived.values()][0]);
          }
          await until(`${proxy.engine} reports its spans`, () => collector.spans.length >= before + sampled.length, 15_000);
          // In the order of requests: batches may overtake each other.
          const spans = collector.spans.slice(before).sort((a, b) => a.start - b.start);
          assert.is(spans.length, sampled.length, `${proxy.engine}: one span a request: ${spans.map((s) => s.tags['http.url']).join(' ')}`);
          made.push({ headers, spans });
        }
        const [embedded, real] = made as [(typeof made)[0], (typeof made)[0]];
        let at = 0;
        for (const [i, [what, deed]] of Object.entries(DEEDS).entries()) {
          const n = deed.unsampled ? undefined : at++;
          const of = (side: (typeof made)[0]): unknown => comparable(n === undefined ? undefined : side.spans[n], side.headers[i]);
          assert.equal(of(embedded), of(real), what);
        }
        if (name === 'OTLP over HTTP')
          assert.ok(
            collector.requests.some((r) => r.headers['x-key'] === 'secret'),
            'the provider’s headers',
          );
      } finally {
        await Promise.all(proxies.map((p) => p.close()));
      }
    });
  }
}

const serverMesh = (ingress: number): string => `
${workload('server-1', { app: 'server' }, backend.port)}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: server }
spec:
  workloadSelector: { labels: { app: server } }
  ingress: [{ port: { number: ${ingress}, name: http, protocol: HTTP }, bind: 127.0.0.1, defaultEndpoint: "127.0.0.1:${backend.port}" }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |
    defaultConfig: { tracing: { sampling: 100, zipkin: { address: "127.0.0.1:${collector.port}" }, maxPathTagLength: 20 } }
`;

if ('path' in envoy) {
  test('same spans of the server’s side, by the mesh’s own Zipkin', async () => {
    const made: unknown[][] = [];
    for (const engine of ['embedded', 'envoy'] as const) {
      const ingress = testPort();
      const name = 'server-1.default';
      const proxy =
        engine === 'embedded'
          ? await runEmbedded(serverMesh(ingress), testPort(), name)
          : await runEnvoy(envoy.path, serverMesh(ingress), testPort(), name);
      const client = createClient();
      const before = collector.spans.length;
      const seen: unknown[] = [];
      const decorated: Record<string, string>[] = [{}, { 'x-envoy-decorator-operation': 'told by the client' }];
      try {
        const headers = { host: 'server.example.com', 'x-b3-traceid': B3, 'x-b3-spanid': PARENT, 'x-b3-sampled': '1' };
        for (const more of decorated) {
          arrived.clear();
          const answer = await client.get(`http://127.0.0.1:${ingress}/served/at/length/and/more`, { ...headers, ...more });
          seen.push(answer.headers['x-envoy-decorator-operation']);
        }
        await until(`${engine} reports its spans`, () => collector.spans.length >= before + 2, 15_000);
        assert.is(proxy.records.at(-1)?.direction ?? 'inbound', 'inbound');
      } finally {
        client.close();
        await proxy.close();
      }
      const spans = collector.spans.slice(before).sort((a, b) => a.start - b.start);
      const shared = JSON.stringify(spans.map((s) => comparable(s, arrived.get(s.tags['http.url'] ?? '')))).replaceAll(
        String(ingress),
        'PORT',
      );
      made.push([JSON.parse(shared), JSON.parse(JSON.stringify(seen).replaceAll(String(ingress), 'PORT'))]);
    }
    assert.equal(made[0], made[1]);
    const [span] = (made[0] as [{ kind: string; from: string }[]])[0];
    assert.is(span?.kind, 'SERVER');
    assert.is(span?.from, 'server.default');
  });
}

test('a collector that is not there delays nothing, and loses spans only', async () => {
  const mesh = meshOf(PROVIDERS.zipkin).replace(`http: ${collector.port}`, 'http: 9');
  const proxy = await runEmbedded(mesh, testPort());
  try {
    const client = createClient(proxy.httpProxy);
    for (let i = 0; i < 20; i++) assert.is((await client.get('http://web/x')).status, 200);
    client.close();
  } finally {
    await proxy.close();
  }
});

test.run();
