/** The same requests through both engines give the same records, field by field. */
import type { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { realEnvoy } from '../support/envoy.ts';
import { type Client, createClient, until } from '../support/http.ts';
import { service, testPort, workload } from '../support/mesh.ts';
import { grpcCall, startGrpc } from './support/grpc.ts';
import { type RunningProxy, runEmbedded, runEnvoy } from './support/two-proxies.ts';

const envoy = realEnvoy();

let backend: Backend;
let echo: Server;
let grpc: ReturnType<typeof createHttp2Server>;
/** Nobody listens there. */
const CLOSED = 9;

const listen = (server: Server | ReturnType<typeof createHttp2Server>): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));

const meshOf = (ports: { backend: number; echo: number; grpc: number; tcp: number }): string => `
${service('web')}${workload('web-1', { app: 'web', version: 'v1' }, ports.backend)}
${service('gone')}${workload('gone-1', { app: 'gone' }, CLOSED)}
${service('empty')}
---
apiVersion: v1
kind: Service
metadata: { name: greeter }
spec: { selector: { app: greeter }, ports: [{ name: grpc, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: greeter-1 }
spec: { address: 127.0.0.1, ports: { grpc: ${ports.grpc} }, labels: { app: greeter } }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: echo }
spec:
  hosts: [echo.example.com]
  resolution: STATIC
  location: MESH_INTERNAL
  ports: [{ number: ${ports.tcp}, name: tcp, protocol: TCP }]
  endpoints: [{ address: 127.0.0.1, ports: { tcp: ${ports.echo} } }]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: default }
spec:
  egress:
  - port: { number: ${ports.tcp}, name: tcp, protocol: TCP }
    bind: 127.0.0.1
    captureMode: NONE
    hosts: ["./echo.example.com"]
  - hosts: ["*/*"]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web }
spec:
  hosts: [web]
  http:
  - { name: old, match: [{ uri: { prefix: /old } }], rewrite: { uri: /new, authority: renamed }, route: [{ destination: { host: web } }] }
  - { name: aborted, match: [{ uri: { prefix: /abort } }], fault: { abort: { httpStatus: 418, percentage: { value: 100 } } }, route: [{ destination: { host: web } }] }
  - { match: [{ uri: { prefix: /delay } }], fault: { delay: { fixedDelay: 30ms, percentage: { value: 100 } } }, route: [{ destination: { host: web } }] }
  - { match: [{ uri: { prefix: /redirect } }], redirect: { uri: /elsewhere } }
  - { match: [{ uri: { prefix: /direct } }], directResponse: { status: 403, body: { string: "no" } } }
  - { match: [{ uri: { prefix: /slow } }], timeout: 100ms, route: [{ destination: { host: web } }] }
  - { match: [{ uri: { prefix: /retried } }], retries: { attempts: 2, retryOn: 5xx, backoff: 1ms }, route: [{ destination: { host: web } }] }
  - { match: [{ uri: { prefix: /missing } }], route: [{ destination: { host: nowhere } }] }
  - { route: [{ destination: { host: web } }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: gone }
spec: { hosts: [gone], http: [{ retries: { attempts: 0 }, route: [{ destination: { host: gone } }] }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: empty }
spec: { hosts: [empty], http: [{ retries: { attempts: 0 }, route: [{ destination: { host: empty } }] }] }
`;

/** What is done, by name; every entry makes one record. */
const DEEDS: Readonly<Record<string, (proxy: RunningProxy, client: Client, tcp: number) => Promise<unknown>>> = {
  plain: (_p, c) => c.get('http://web/a?b=c', { 'user-agent': 'tester/1', 'x-forwarded-for': '10.9.8.7' }),
  body: (_p, c) => c.send('POST', 'http://web/upload', { 'content-length': '11' }, 'hello world'),
  rewritten: (_p, c) => c.get('http://web/old/1'),
  'odd path': (_p, c) => c.get('http://web/x/../y//z'),
  aborted: (_p, c) => c.get('http://web/abort'),
  delayed: (_p, c) => c.get('http://web/delay'),
  redirected: (_p, c) => c.get('http://web/redirect'),
  'direct response': (_p, c) => c.get('http://web/direct'),
  'timed out': (_p, c) => c.get('http://web/slow'),
  retried: (_p, c) => c.get('http://web/retried'),
  'no cluster': (_p, c) => c.get('http://web/missing'),
  'refused connection': (_p, c) => c.get('http://gone/'),
  'no endpoint': (_p, c) => c.get('http://empty/'),
  'broken off by the upstream': (_p, c) => c.get('http://web/broken').catch(() => undefined),
  method: (_p, c) => c.send('PROPFIND', 'http://web/dav'),
  'gRPC call': (p) => grpcCall(p.httpProxy, 'greeter', '/greet.Greeter/Two', ['one', 'three']),
  'gRPC failure': (p) => grpcCall(p.httpProxy, 'greeter', '/greet.Greeter/Fail', ['x']),
  'client gone': (p) => leaveEarly(p.httpProxy),
  connection: (_p, _c, tcp) => sendTcp(tcp, 'over tcp'),
};

function sendTcp(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(text));
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      got += chunk;
    });
    socket.on('error', reject).on('close', () => resolve(got));
  });
}

/** Sends a request, and leaves while the upstream is busy with it. */
async function leaveEarly(at: string): Promise<void> {
  const before = backend.requests;
  const [host = '', port] = at.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => undefined).write('GET http://web/slow HTTP/1.1\r\nhost: web\r\n\r\n');
  await until('the upstream has it', () => backend.requests > before);
  socket.destroy();
}

function startServers(): void {
  let tries = 0;
  backend.handler = (request, response) => {
    const { url = '' } = request;
    if (url.startsWith('/slow')) return;
    if (url.startsWith('/broken')) request.socket.destroy();
    else if (url.startsWith('/retried')) response.writeHead(tries++ % 3 === 2 ? 200 : 503, { 'content-length': 2 }).end('ok');
    else request.resume().on('end', () => response.writeHead(200, { 'content-length': 5 }).end('hello'));
  };
}

test.before(async () => {
  backend = await startBackend('web');
  startServers();
  echo = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => undefined).pipe(socket));
  grpc = startGrpc();
});

test.after(async () => {
  await backend.close();
  echo.close();
  grpc.close();
});

/** Of records that may differ: what the comparison leaves out. */
const VARYING: ReadonlySet<string> = new Set([
  'startTime',
  'duration',
  'upstreamServiceTime',
  'requestId',
  'upstreamLocalAddress',
  'downstreamRemoteAddress',
  'downstreamLocalAddress',
]);

function comparable(record: RequestRecord): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([key, value]) => !VARYING.has(key) && value !== undefined));
}

if ('missing' in envoy) {
  test.skip(`same records from both engines (no Envoy: ${envoy.missing})`, () => undefined);
} else {
  test('same records from both engines', async () => {
    const ports = { backend: backend.port, echo: await listen(echo), grpc: await listen(grpc) };
    const tcp = [testPort(), testPort()] as const;
    const proxies = [
      await runEmbedded(meshOf({ ...ports, tcp: tcp[0] }), testPort()),
      await runEnvoy(envoy.path, meshOf({ ...ports, tcp: tcp[1] }), testPort()),
    ] as const;
    try {
      for (const [name, deed] of Object.entries(DEEDS)) {
        const made: RequestRecord[] = [];
        for (const [i, proxy] of proxies.entries()) {
          const client = createClient(proxy.httpProxy);
          const before = proxy.records.length;
          await deed(proxy, client, tcp[i]!);
          await until(`${proxy.engine} tells of: ${name}`, () => proxy.records.length > before);
          assert.is(proxy.records.length, before + 1, `${proxy.engine} makes one record of: ${name}`);
          made.push(proxy.records[before]!);
          client.close();
        }
        const [embedded, real] = made as [RequestRecord, RequestRecord];
        const shared = (r: RequestRecord): unknown => {
          const all = comparable(r);
          // Ports of each proxy's own.
          if (r.protocol === 'TCP') all['upstreamCluster'] = String(all['upstreamCluster']).replace(/\d+/, 'PORT');
          return all;
        };
        assert.equal(shared(embedded), shared(real), name);
        assert.is(typeof embedded.upstreamServiceTime, typeof real.upstreamServiceTime, `${name}: time of the upstream`);
        assert.ok(Math.abs(embedded.startTime - real.startTime) < 60_000, `${name}: both began now`);
        for (const key of ['upstreamLocalAddress', 'downstreamRemoteAddress', 'downstreamLocalAddress'] as const)
          assert.is(embedded[key].replace(/\d+$/, ''), real[key].replace(/\d+$/, ''), `${name}: ${key}`);
        // Envoy's timers go by the clock of its event loop, which may be some milliseconds behind.
        if (name === 'delayed') for (const r of made) assert.ok(r.duration >= 25, `the delay counts: ${r.duration}`);
        if (name === 'timed out') for (const r of made) assert.ok(r.duration >= 90, `the timeout counts: ${r.duration}`);
      }
    } finally {
      await Promise.all(proxies.map((p) => p.close()));
    }
  });
}

test.run();
