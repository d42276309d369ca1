import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import type { AnyJson } from '@bufbuild/protobuf/wkt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createProxyRuntime, type ProxyRuntime } from '../../../agent/proxy/runtime.ts';
import { createStatsRegistry } from '../../../agent/proxy/stats/registry.ts';
import type { ClusterManager } from '../../../agent/proxy/types.ts';
import { createClusterManager } from '../../../agent/proxy/upstream/cluster-manager.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { freePort } from '../../support/free-ports.ts';
import { clusterJson } from '../http/cluster-json.ts';
import { type HarnessOptions, listenerJson, raw, routesJson, until } from '../http/harness.ts';

const test = suite('proxy runtime');
let backend: Backend;
let runtime: ProxyRuntime;
let clusters: ClusterManager;

test.before.each(async () => {
  backend = await startBackend('one');
  const stats = createStatsRegistry();
  clusters = createClusterManager({ stats, log() {} });
  clusters.update([clusterJson({ name: 'backend', hosts: [`127.0.0.1:${backend.port}`] })], []);
  runtime = createProxyRuntime({ proxyId: 'p.ns', clusters, stats, record() {}, log() {} });
});
test.after.each(async () => {
  await runtime.close();
  await clusters.close();
  await backend.close();
});

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`;
const direct = (text: string): HarnessOptions => ({
  routes: [{ match: { prefix: '/' }, directResponse: { status: 200, body: { inlineString: text } } }],
});

test('new routes reach connections that are open, and the listener stays', async () => {
  const port = await freePort();
  assert.equal(await runtime.update({ listeners: [listenerJson({}, 'l', port)], routes: [routesJson(direct('one'))] }), []);
  const kept = connect(port, '127.0.0.1');
  let text = '';
  kept.on('data', (chunk) => (text += chunk));
  const ask = (): boolean => kept.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  ask();
  await until('the first answer', () => text.endsWith('one'));
  assert.equal(await runtime.update({ listeners: [listenerJson({}, 'l', port)], routes: [routesJson(direct('two'))] }), []);
  ask();
  await until('an answer by the new routes', () => text.endsWith('two'));
  // The listener changes too: its settings are new, the connection is not.
  const changed = listenerJson({ manager: { serverName: 'other' } }, 'l', port);
  assert.equal(await runtime.update({ listeners: [changed], routes: [routesJson(direct('three'))] }), []);
  ask();
  await until('an answer by the new listener', () => text.endsWith('three'));
  assert.match(text.slice(text.lastIndexOf('HTTP/1.1')), /server: other/);
  kept.destroy();
});

test('a refused configuration changes nothing', async () => {
  const port = await freePort();
  await runtime.update({ listeners: [listenerJson({}, 'l', port)], routes: [routesJson(direct('good'))] });
  const lua = { name: 'envoy.filters.http.lua', typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua' } };
  const bad = listenerJson({ manager: { httpFilters: [lua] } }, 'l', port);
  const problems = await runtime.update({ listeners: [bad], routes: [routesJson(direct('bad'))] });
  assert.is(problems.length, 1);
  assert.is(problems[0]?.rule, 'unsupported/http-filter');
  assert.match(problems[0]!.message, /listener l: filterChains\[0\]\.filters\[0\].*envoy\.filters\.http\.lua/);
  assert.match(await raw(port, get('/')), /good$/);
});

test('what the proxy cannot do is refused with its place', async () => {
  const tls = listenerJson({}, 'secure', 0);
  tls.filterChains![0]!.transportSocket = { name: 'tls' };
  tls.filterChains![0]!.filterChainMatch = { serverNames: ['a*b'] };
  const problems = await runtime.update({
    listeners: [tls, listenerJson({ manager: { rds: { routeConfigName: 'absent' } } }, 'lost')],
    routes: [
      routesJson({
        routes: [
          {
            match: { prefix: '/' },
            route: { cluster: 'backend' },
            metadata: { filterMetadata: { istio: { config: '/apis/x/virtual-service/v' } } },
            typedPerFilterConfig: { 'envoy.filters.http.jwt_authn': { '@type': 'type.googleapis.com/x.Jwt' } },
          },
        ],
      }),
    ],
  });
  const shown = problems.map((p) => p.message).join('\n');
  assert.match(shown, /listener secure: filterChains\[0\]\.transportSocket is not supported/);
  assert.match(shown, /partial wildcard/);
  assert.match(shown, /listener lost: .*there is no route configuration "absent"/);
  const route = problems.find((p) => p.message.includes('jwt_authn'));
  assert.is(route?.origin, '/apis/x/virtual-service/v');
  assert.is(runtime.dumpListeners().listenerStatuses.length, 0);
});

test('a port in use names its listener, and leaves the others as they were', async () => {
  const port = await freePort();
  await runtime.update({ listeners: [listenerJson({}, 'kept', port)], routes: [routesJson(direct('kept'))] });
  const taken = (createTcpServer() as ReturnType<typeof createTcpServer>).listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const problems = await runtime.update({
    listeners: [
      listenerJson({}, 'kept', port),
      listenerJson({}, 'fresh', 0),
      listenerJson({}, 'clash', (taken.address() as AddressInfo).port),
    ],
    routes: [routesJson(direct('new'))],
  });
  assert.equal(
    problems.map((p) => [p.rule, p.origin]),
    [['listener/port-in-use', 'listener clash']],
  );
  assert.match(await raw(port, get('/')), /kept$/);
  assert.is(runtime.dumpListeners().listenerStatuses.length, 1);
  taken.close();
});

test('a removed listener stops accepting and finishes its requests', async () => {
  const port = await freePort();
  let release = (): void => {};
  backend.handler = (_request, response) => {
    release = () => void response.end('finished');
  };
  await runtime.update({ listeners: [listenerJson({}, 'l', port)], routes: [routesJson({})] });
  const answer = raw(port, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  await until('the request is at the backend', () => backend.requests === 1);
  assert.equal(await runtime.update({ listeners: [], routes: [] }), []);
  const refused = await new Promise((resolve) => connect(port, '127.0.0.1').on('error', resolve).on('connect', resolve));
  assert.is((refused as NodeJS.ErrnoException).code, 'ECONNREFUSED');
  release();
  assert.match(await answer, /^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*finished/);
});

test('drain waits for requests in flight, at most until its deadline', async () => {
  backend.handler = () => {};
  await runtime.update({ listeners: [listenerJson({}, 'l')], routes: [routesJson({})] });
  const { port } = { port: runtime.dumpListeners().listenerStatuses[0]!.localAddress.socketAddress.portValue };
  const answer = raw(port, get('/'));
  await until('the request is at the backend', () => backend.requests === 1);
  const started = performance.now();
  await runtime.drain(150);
  assert.ok(performance.now() - started >= 149);
  await runtime.close();
  assert.is(await answer, '');
});

test('chains are chosen by SNI, by destination port and by protocol', async () => {
  const chain = (text: string, filterChainMatch?: object): object => {
    const [filterChain] = listenerJson({
      manager: { rds: undefined, routeConfig: routesJson(direct(text)) } as never,
    }).filterChains!;
    return { ...filterChain, name: text, ...(filterChainMatch && { filterChainMatch }) };
  };
  const inspector = (name: string, type: string): object => ({
    name: `envoy.filters.listener.${name}`,
    typedConfig: { '@type': `type.googleapis.com/envoy.extensions.filters.listener.${name}.v3.${type}` },
  });
  const problems = await runtime.update({
    listeners: [
      listenerJson({
        listener: {
          listenerFilters: [inspector('proxy_protocol', 'ProxyProtocol'), inspector('http_inspector', 'HttpInspector')] as never,
          filterChains: [
            chain('port', { destinationPort: 4444 }),
            chain('http', { applicationProtocols: ['http/1.1'], sourcePrefixRanges: [{ addressPrefix: '10.0.0.0', prefixLen: 8 }] }),
            chain('other', { applicationProtocols: ['http/1.1'] }),
          ] as never,
        },
      }),
    ],
    routes: [],
  });
  assert.equal(problems, []);
  const port = runtime.dumpListeners().listenerStatuses[0]!.localAddress.socketAddress.portValue;
  assert.match(await raw(port, `PROXY TCP4 10.1.2.3 1.1.1.1 5 4444\r\n${get('/')}`), /port$/);
  assert.match(await raw(port, `PROXY TCP4 10.1.2.3 1.1.1.1 5 80\r\n${get('/')}`), /http$/);
  assert.match(await raw(port, `PROXY TCP4 11.1.2.3 1.1.1.1 5 80\r\n${get('/')}`), /other$/);
  // No chain for what is no HTTP; no PROXY header at all.
  assert.is(await raw(port, 'PROXY TCP4 11.1.2.3 1.1.1.1 5 80\r\n\u0000\u0001 binary'), '');
  assert.is(await raw(port, get('/')), '');
});

test('what is no HTTP goes to the TCP chain, its first bytes included', async () => {
  const echo = createTcpServer((socket) => {
    socket.write('hello ');
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  clusters.update([clusterJson({ name: 'echo', hosts: [`127.0.0.1:${(echo.address() as AddressInfo).port}`] })], []);
  const tcp: AnyJson = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
    ...{ statPrefix: 'tcp', cluster: 'echo' },
  };
  const [httpChain] = listenerJson({}).filterChains!;
  const inspector: AnyJson = { '@type': 'type.googleapis.com/envoy.extensions.filters.listener.http_inspector.v3.HttpInspector' };
  const plain = listenerJson({ listener: { filterChains: [{ filters: [{ name: 'tcp', typedConfig: tcp }] }] } }, 'plain');
  const mixed = listenerJson(
    {
      listener: {
        listenerFilters: [{ name: 'envoy.filters.listener.http_inspector', typedConfig: inspector }],
        filterChains: [{ ...httpChain, filterChainMatch: { applicationProtocols: ['http/1.1', 'h2c'] } }],
        defaultFilterChain: { filters: [{ name: 'tcp', typedConfig: tcp }] },
      },
    },
    'mixed',
  );
  assert.equal(await runtime.update({ listeners: [mixed, plain], routes: [routesJson(direct('http'))] }), []);
  const ports = new Map(runtime.dumpListeners().listenerStatuses.map((l) => [l.name, l.localAddress.socketAddress.portValue]));
  const whole = (text: string): boolean => text.includes('hello ') && text.includes('\u0001 bytes');
  assert.is(await raw(ports.get('mixed')!, '\u0001 bytes', whole), 'hello \u0001 bytes');
  assert.match(await raw(ports.get('mixed')!, get('/')), /http$/);
  // Without inspectors the server may speak first.
  assert.is(await raw(ports.get('plain')!, '', (text) => text === 'hello '), 'hello ');
  echo.close();
});

test.run();
