import { type AddressInfo, createServer } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConnectionInfo } from '../../../agent/proxy/listener/connection.ts';
import { createHttpInspector } from '../../../agent/proxy/listener/http-inspector.ts';
import { createTlsInspector } from '../../../agent/proxy/listener/tls-inspector.ts';
import { compileChainMatches, type MatchableChain } from '../../../src/routing/filter-chain-match.ts';

const info = (more: Partial<ConnectionInfo> = {}): ConnectionInfo => ({
  id: 1,
  listener: 'l',
  direction: 'outbound',
  startTime: 0,
  localIp: '10.0.0.1',
  localPort: 443,
  remoteIp: '192.168.0.5',
  remotePort: 5000,
  directRemoteIp: '192.168.0.5',
  directRemotePort: 5000,
  localAddress: '10.0.0.1:443',
  remoteAddress: '192.168.0.5:5000',
  originalDestination: undefined,
  transportProtocol: 'raw_buffer',
  sni: '',
  applicationProtocols: [],
  filterChain: '',
  tls: undefined,
  ...more,
});
const never = (): boolean => false;

/** What a real TLS client sends first. */
function clientHello(options: { servername?: string; ALPNProtocols?: string[] }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) =>
      socket.once('data', (chunk) => {
        resolve(chunk);
        socket.destroy();
        server.close();
      }),
    );
    server.listen(0, '127.0.0.1', () => {
      const client = tlsConnect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, rejectUnauthorized: false, ...options });
      client.on('error', () => undefined);
    });
    server.on('error', reject);
  });
}

test('a real ClientHello gives SNI and ALPN, however it is cut', async () => {
  const hello = await clientHello({ servername: 'API.example.com', ALPNProtocols: ['h2', 'http/1.1'] });
  const inspector = createTlsInspector(never);
  for (let length = 1; length < hello.length; length++) {
    const found = info();
    assert.is(inspector.inspect(hello.subarray(0, length), found), 'more', `after ${length} bytes`);
  }
  const found = info();
  assert.is(inspector.inspect(hello, found), 0);
  assert.equal([found.transportProtocol, found.sni, found.applicationProtocols], ['tls', 'api.example.com', ['h2', 'http/1.1']]);
});

test('a ClientHello in two records', async () => {
  const hello = await clientHello({ servername: 'a.example' });
  const body = hello.subarray(5);
  const record = (part: Buffer): Buffer => Buffer.concat([Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part]);
  const found = info();
  assert.is(createTlsInspector(never).inspect(Buffer.concat([record(body.subarray(0, 50)), record(body.subarray(50))]), found), 0);
  assert.is(found.sni, 'a.example');
});

test('what is no ClientHello stays raw', () => {
  for (const bytes of ['GET / HTTP/1.1\r\n', '\x16\x03\x01\x00\x05\x02abcd', '\x16\x04']) {
    const found = info();
    assert.is(createTlsInspector(never).inspect(Buffer.from(bytes, 'latin1'), found), 0);
    assert.is(found.transportProtocol, 'raw_buffer');
  }
});

test('the http inspector tells HTTP/1.1, HTTP/1.0, HTTP/2 and others', () => {
  const inspector = createHttpInspector(never);
  const protocols = (text: string): unknown => {
    const found = info();
    const outcome = inspector.inspect(Buffer.from(text, 'latin1'), found);
    return outcome === 'more' ? 'more' : found.applicationProtocols;
  };
  assert.equal(protocols('GET /x HTTP/1.1\r\nhost: a'), ['http/1.1']);
  assert.equal(protocols('GET /x HTTP/1.0\r\n'), ['http/1.0']);
  assert.equal(protocols('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0'), ['h2c']);
  assert.is(protocols('PRI * HT'), 'more');
  assert.is(protocols('GET /unfinished'), 'more');
  assert.equal(protocols('\x00\x01\x02'), []);
  assert.equal(protocols('HELO mail.example\r\n'), []);
});

test('a chain match keeps the most specific value at each stage, and never goes back', () => {
  const chains: MatchableChain[] = [
    { name: 'exact', match: { serverNames: ['a.example.com'] } },
    { name: 'wild', match: { serverNames: ['*.example.com'] } },
    { name: 'narrow', match: { prefixRanges: [{ addressPrefix: '10.0.0.0', prefixLen: 24 }], serverNames: ['only.here'] } },
    { name: 'six', match: { prefixRanges: [{ addressPrefix: '2001:db8::', prefixLen: 32 }] } },
    { name: 'port', match: { destinationPort: 8080 } },
    { name: 'any', match: undefined },
  ];
  const { find, problems } = compileChainMatches(chains, 'l');
  assert.equal(problems, []);
  const name = (more: Partial<ConnectionInfo>): string | undefined => find(info({ localIp: '10.9.9.9', ...more }))?.name;
  assert.is(name({ sni: 'a.example.com' }), 'exact');
  assert.is(name({ sni: 'b.example.com' }), 'wild');
  assert.is(name({ sni: 'x.b.example.com' }), 'wild');
  assert.is(name({ sni: 'example.com' }), 'any');
  assert.is(name({ localPort: 8080, sni: 'a.example.com' }), 'port');
  assert.is(name({ localIp: '2001:db8::1' }), 'six');
  // The longest prefix wins, although its chain asks for another name: Envoy closes the connection.
  assert.is(name({ localIp: '10.0.0.7', sni: 'a.example.com' }), undefined);
  assert.is(name({ localIp: '10.0.0.7', sni: 'only.here' }), 'narrow');
});

test('two chains that match the same are refused', () => {
  const { problems } = compileChainMatches(
    [
      { name: 'a', match: { destinationPort: 1 } },
      { name: 'b', match: { destinationPort: 1 } },
    ],
    'l',
  );
  assert.is(problems.length, 1);
});

test.run();
