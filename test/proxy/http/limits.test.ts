import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnyJson } from '@bufbuild/protobuf/wkt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Backend, startBackend } from '../../support/backend.ts';
import { type Harness, type HarnessOptions, raw, startHarness, until } from './harness.ts';

const test = suite('limits, logs and tunnels');
let backend: Backend;
const open: (() => unknown)[] = [];

test.before.each(async () => {
  backend = await startBackend('one');
  open.push(() => backend.close());
});
test.after.each(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function start(options: HarnessOptions): Promise<Harness> {
  const proxy = await startHarness({ clusters: [{ name: 'backend', hosts: [`127.0.0.1:${backend.port}`] }], ...options });
  open.push(() => proxy.close());
  return proxy;
}

const keep = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

test('max_requests_per_connection: the last answer says close', async () => {
  const proxy = await start({ manager: { commonHttpProtocolOptions: { maxRequestsPerConnection: 2 } } });
  let asked = 1;
  const answer = await raw(proxy.port, keep, undefined, (socket) =>
    socket.on('data', () => {
      if (asked++ === 1) socket.write(keep);
    }),
  );
  const heads = answer.split('HTTP/1.1 200').slice(1);
  assert.is(heads.length, 2);
  assert.not.match(heads[0]!.split('\r\n\r\n')[0]!, /connection: close/);
  assert.match(heads[1]!.split('\r\n\r\n')[0]!, /connection: close/);
});

test('an idle connection ends, a busy one does not', async () => {
  backend.handler = (_request, response) => void setTimeout(() => response.end('slow'), 150);
  const proxy = await start({ manager: { commonHttpProtocolOptions: { idleTimeout: '0.080s' } } });
  const started = performance.now();
  const answer = await raw(proxy.port, keep);
  assert.match(answer, /slow/);
  assert.ok(performance.now() - started >= 150 + 79);
  assert.is(proxy.stats.counter('http.test.downstream_cx_idle_timeout').value, 1);
});

test('headers that do not come to their end: 408', async () => {
  const proxy = await start({ manager: { requestHeadersTimeout: '0.100s' } });
  const answer = await raw(proxy.port, 'GET / HTTP/1.1\r\nhost: a\r\nx-slow: ');
  assert.match(answer, /^HTTP\/1\.1 408 [\s\S]*request header timeout/);
  assert.is((await proxy.record()).details, 'request_header_timeout');
});

test('a body that does not come to its end: 408', async () => {
  const proxy = await start({ manager: { requestTimeout: '0.100s' } });
  const answer = await raw(proxy.port, 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc');
  assert.match(answer, /^HTTP\/1\.1 408 [\s\S]*request timeout/);
  assert.is((await proxy.record()).details, 'request_overall_timeout');
});

test('a chunk that is none: 400, and the upstream request is given up', async () => {
  const proxy = await start({});
  const answer = await raw(proxy.port, 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n');
  assert.match(answer, /^HTTP\/1\.1 400 /);
  assert.is((await proxy.record()).flags, 'DPE');
});

test('HTTP/1.0 where it is accepted: the default host, and the end of the connection', async () => {
  const proxy = await start({ manager: { httpProtocolOptions: { acceptHttp10: true, defaultHostForHttp10: 'ten.example' } } });
  const answer = await raw(proxy.port, 'GET /old HTTP/1.0\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*connection: close/);
  assert.match(answer, /"host":"ten\.example"/);
  assert.not.match(answer, /transfer-encoding/);
});

test('the access log: Istio’s operators, in a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-log-'));
  open.push(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'access.log');
  const typedConfig: AnyJson = {
    '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
    ...{
      path,
      logFormat: {
        textFormatSource: { inlineString: '%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% %UPSTREAM_CLUSTER%\n' },
      },
    },
  };
  const proxy = await start({ manager: { accessLog: [{ name: 'file', typedConfig }] } });
  await raw(proxy.port, keep.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'));
  const read = (): string => {
    try {
      return readFileSync(path, 'latin1');
    } catch {
      return '';
    }
  };
  await until('the line', () => read() !== '');
  assert.is(read(), 'GET / 200 - backend\n');
});

test('CONNECT that ends here carries TCP to the cluster', async () => {
  const echo = createServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  open.push(() => echo.close());
  const proxy = await start({
    clusters: [{ name: 'tcp', hosts: [`127.0.0.1:${(echo.address() as AddressInfo).port}`] }],
    manager: { upgradeConfigs: [{ upgradeType: 'CONNECT' }] },
    routes: [{ match: { connectMatcher: {} }, route: { cluster: 'tcp', upgradeConfigs: [{ upgradeType: 'CONNECT', connectConfig: {} }] } }],
  });
  const client = connect(proxy.port, '127.0.0.1');
  let text = '';
  client.on('data', (chunk) => (text += chunk));
  client.write('CONNECT db.example:5432 HTTP/1.1\r\nhost: db.example:5432\r\n\r\n');
  await until('200', () => text.startsWith('HTTP/1.1 200 OK\r\n'));
  client.write('through');
  await until('the echo', () => text.endsWith('\r\n\r\nthrough'));
  client.end();
  const record = await proxy.record();
  assert.equal([record.method, record.authority, record.bytesReceived, record.bytesSent], ['CONNECT', 'db.example:5432', 7, 7]);
});

test.run();
