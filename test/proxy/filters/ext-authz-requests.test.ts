/** What authorization services see of clients with certificates, over both HTTP versions, and what becomes of bodies that they look at. */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ProxyUnderTest, startEmbedded, startEnvoy } from '../tls/both.ts';
import { cluster, downstream, http, httpOptions, mutual, TLS_INSPECTOR } from '../tls/configs.ts';
import { caSecret, certificateSecret, createPki, type Issued } from '../tls/pki.ts';
import { type Asked, grpcAuthz } from './authz-services.ts';
import { listen } from './both-engines.ts';
import { JWKS, token } from './tokens.ts';

const test = suite('external authorization of requests');
const HTTP = 'type.googleapis.com/envoy.extensions.filters.http';
const BILLING = 'spiffe://cluster.local/ns/default/sa/billing';

const pki = await createPki();
const server = await pki.issue({ uris: ['spiffe://cluster.local/ns/default/sa/shop'] });
const billing = await pki.issue({ uris: [BILLING] });
const other = await pki.issue({ uris: ['spiffe://cluster.local/ns/default/sa/other'] });

const filter = (name: string, type: string, config: object): object => ({
  name: `envoy.filters.http.${name}`,
  typedConfig: { '@type': `${HTTP}.${type}`, ...config },
});
const authz = (config: object = {}): object =>
  filter('ext_authz', 'ext_authz.v3.ExtAuthz', {
    grpcService: { envoyGrpc: { clusterName: 'authz' }, timeout: '2s' },
    transportApiVersion: 'V3',
    ...config,
  });
const router = filter('router', 'router.v3.Router', {});
const jwt = filter('jwt_authn', 'jwt_authn.v3.JwtAuthentication', {
  providers: { main: { issuer: 'main', localJwks: { inlineString: JWKS }, payloadInMetadata: 'payload' } },
  rules: [{ match: { prefix: '/' }, requires: { providerName: 'main' } }],
});
const rbac = filter('rbac', 'rbac.v3.RBAC', {
  rules: {
    action: 'ALLOW',
    policies: {
      billing: {
        permissions: [{ any: true }],
        principals: [
          {
            andIds: {
              ids: [
                { authenticated: { principalName: { exact: BILLING } } },
                {
                  metadata: {
                    filter: 'envoy.filters.http.jwt_authn',
                    path: [{ key: 'payload' }, { key: 'iss' }],
                    value: { stringMatch: { exact: 'main' } },
                  },
                },
              ],
            },
          },
        ],
      },
    },
  },
});

/** Keeps the bodies it was sent; answers as `statuses` say, one after the other, then 200. */
interface Backend {
  readonly port: number;
  readonly bodies: string[];
  statuses: number[];
  close(): void;
}

async function startBackend(): Promise<Backend> {
  const sockets = new Set<Socket>();
  const http1 = createServer((request: IncomingMessage, response: ServerResponse) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = Buffer.concat(pieces).toString('latin1');
      self.bodies.push(body);
      response.writeHead(self.statuses.shift() ?? 200).end(`got ${body.length}`);
    });
  });
  http1.on('connection', (socket: Socket) => sockets.add(socket));
  const self: Backend = {
    port: Number((await listen(http1)).split(':')[1]),
    bodies: [],
    statuses: [],
    close() {
      http1.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return self;
}

interface Started {
  proxy: ProxyUnderTest;
  asked: Asked[];
  backend: Backend;
  mirror: Backend;
}

interface Options {
  filters: readonly object[];
  route?: object;
  tls?: boolean;
  listener?: object;
  /** What the service does. */
  answer?: (asked: Asked) => string;
}

/** Runs `look` on both engines; what it gives has to be the same. */
async function onBoth<T>(
  { filters, route, tls = false, listener = {}, answer = () => '' }: Options,
  look: (started: Started) => Promise<T>,
): Promise<T> {
  const found: T[] = [];
  for (const start of [startEmbedded, startEnvoy]) {
    const asked: Asked[] = [];
    const service = await grpcAuthz(asked, answer);
    const backend = await startBackend();
    const mirror = await startBackend();
    const http2 = httpOptions({ explicitHttpConfig: { http2ProtocolOptions: {} } });
    const chain = {
      filters: [
        http([{ match: { prefix: '/' }, route: { cluster: 'backend', ...route } }], {
          httpFilters: [...filters, router],
          generateRequestId: false,
        }),
      ],
      ...(tls && { transportSocket: downstream(mutual([], { alpnProtocols: ['h2', 'http/1.1'] })) }),
    };
    let proxy: ProxyUnderTest | undefined;
    try {
      proxy = await start({
        listener: { filterChains: [chain], ...(tls && { listenerFilters: [TLS_INSPECTOR] }), ...listener },
        clusters: [
          cluster('backend', backend.port),
          cluster('mirror', mirror.port),
          cluster('authz', Number(service.host.split(':')[1]), http2),
        ],
        secrets: [certificateSecret('default', server), caSecret('ROOTCA', pki.ca)],
      });
      if (proxy !== undefined) found.push(await look({ proxy, asked, backend, mirror }));
    } finally {
      await proxy?.close();
      service.close();
      backend.close();
      mirror.close();
    }
  }
  const [mine, theirs] = found;
  if (theirs !== undefined) assert.equal(mine, theirs);
  return mine!;
}

interface Sent {
  headers?: Readonly<Record<string, string>>;
  body?: string | readonly string[];
  show?: Issued;
}

/** Status and body of an answer over HTTP/1.1; over TLS with a certificate to show. */
function send(port: number, { headers = {}, body, show }: Sent): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      host: '127.0.0.1',
      path: '/x?y=z',
      method: body === undefined ? 'GET' : 'POST',
      agent: false as const,
      headers,
    };
    const secured = { ...options, ca: pki.ca, cert: show?.cert, key: show?.key, servername: 'shop.test', rejectUnauthorized: false };
    const request = show === undefined ? httpRequest(options) : httpsRequest(secured);
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.on('data', (data) => {
        text += data;
      });
      response.on('end', () => resolve(`${response.statusCode} ${text}`.trim()));
    });
    if (typeof body === 'string') request.end(body);
    else {
      for (const piece of body ?? []) request.write(piece);
      request.end();
    }
  });
}

/** The same over HTTP/2 and TLS. */
function send2(port: number, { headers = {}, body, show }: Sent): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`https://127.0.0.1:${port}`, {
      ca: pki.ca,
      ...(show && { cert: show.cert, key: show.key }),
      servername: 'shop.test',
      rejectUnauthorized: false,
    });
    session.on('error', reject);
    const stream = session.request({
      ':path': '/x?y=z',
      ':authority': 'shop.test',
      ':method': body === undefined ? 'GET' : 'POST',
      ...headers,
    });
    let status = 0;
    let text = '';
    stream.on('response', (head) => {
      status = Number(head[':status']);
    });
    stream.on('data', (data) => {
      text += data;
    });
    stream.on('error', reject);
    stream.on('end', () => {
      session.destroy();
      resolve(`${status} ${text}`.trim());
    });
    for (const piece of typeof body === 'string' ? [body] : (body ?? [])) stream.write(piece);
    stream.end();
  });
}

/** Ports differ from run to run. */
const portless = (asked: readonly Asked[]): unknown =>
  JSON.parse(JSON.stringify(asked, (key, value) => (key === ':authority' || key === 'host' ? String(value).replace(/:\d+$/, '') : value)));

test('services are told who the client is', async () => {
  const filters = [authz({ includePeerCertificate: true, includeTlsSession: true })];
  const asked = await onBoth({ filters, tls: true }, async ({ proxy, asked: questions }) => {
    assert.is(await send(proxy.port, { show: billing }), '200 got 0', proxy.name);
    assert.is(await send2(proxy.port, { show: billing, body: 'hello' }), '200 got 5', proxy.name);
    return portless(questions) as Asked[];
  });
  const [second, first] = asked;
  assert.is((first!['source'] as string[])[2], BILLING);
  assert.is((first!['destination'] as string[])[1], 'spiffe://cluster.local/ns/default/sa/shop');
  assert.is(first!['sni'], 'shop.test');
  assert.match(String(first!['certificate']), /^-----BEGIN%20CERTIFICATE-----/);
  assert.equal([first!['protocol'], second!['protocol']], ['HTTP/1.1', 'HTTP/2']);
});

test('they are told how much of the body has come', async () => {
  const sizes = async (config: object): Promise<unknown> =>
    onBoth({ filters: [authz(config)], tls: true }, async ({ proxy, asked }) => {
      for (const how of [send, send2]) {
        for (const body of ['hello', ['he', 'llo']]) assert.is(await how(proxy.port, { show: billing, body }), '200 got 5', proxy.name);
        const headers = { 'content-length': '5' };
        assert.is(await how(proxy.port, { show: billing, body: 'hello', headers }), '200 got 5', proxy.name);
      }
      return asked.map(({ size }) => size);
    });
  await sizes({ withRequestBody: { maxRequestBytes: 100 } });
  await sizes({});
});

test('without being asked to, they are told the name alone', async () => {
  const asked = await onBoth({ filters: [authz()], tls: true }, async ({ proxy, asked: questions }) => {
    assert.is(await send(proxy.port, { show: billing }), '200 got 0', proxy.name);
    return portless(questions) as Asked[];
  });
  assert.equal([(asked[0]!['source'] as string[])[2], asked[0]!['certificate'], asked[0]!['sni']], [BILLING, undefined, undefined]);
});

test('all filters together, over HTTP/2', async () => {
  const withBody = authz({ withRequestBody: { maxRequestBytes: 100 }, metadataContextNamespaces: ['envoy.filters.http.jwt_authn'] });
  const good = { authorization: `Bearer ${token()}` };
  const answer = ({ body }: Asked): string => (String(body).startsWith('bad') ? 'deny' : '');
  await onBoth({ filters: [jwt, rbac, withBody], tls: true, answer }, async ({ proxy, asked, backend }) => {
    const { port } = proxy;
    const said = [
      await send2(port, { show: billing, headers: good, body: ['he', 'llo'] }),
      await send2(port, { show: billing, headers: good, body: 'bad' }),
      // Envoy lets a little more pass when it comes at once with the end.
      await send2(port, {
        show: billing,
        headers: good,
        body: proxy.name === 'envoy' ? Array(20).fill('x'.repeat(16_384)) : 'x'.repeat(101),
      }),
      await send2(port, { show: other, headers: good, body: 'hello' }),
      await send2(port, { show: billing, body: 'hello' }),
      await send2(port, { show: billing, headers: good }),
    ];
    assert.equal(
      said.map((one) => one.slice(0, 3)),
      ['200', '403', '413', '403', '401', '200'],
      proxy.name,
    );
    assert.equal(backend.bodies, ['hello', ''], proxy.name);
    return [said, portless(asked)];
  });
});

test('bodies that were looked at are whole for retries and mirrors', async () => {
  const route = {
    retryPolicy: { retryOn: '5xx', numRetries: 2 },
    requestMirrorPolicies: [{ cluster: 'mirror' }],
  };
  const filters = [authz({ withRequestBody: { maxRequestBytes: 10, allowPartialMessage: true } })];
  const large = 'y'.repeat(20_000);
  for (const body of ['hello', ['hel', 'lo'], ['hello', large], '']) {
    const whole = typeof body === 'string' ? body : body.join('');
    await onBoth({ filters, route }, async ({ proxy, asked, backend, mirror }) => {
      backend.statuses = [503, 503];
      assert.is(await send(proxy.port, { body }), `200 got ${whole.length}`, proxy.name);
      assert.equal(backend.bodies, [whole, whole, whole], proxy.name);
      for (const end = Date.now() + 5000; mirror.bodies.length === 0 && Date.now() < end; ) await new Promise((r) => setTimeout(r, 5));
      assert.equal(mirror.bodies, [whole], proxy.name);
      return asked.map(({ body: told, size }) => [told, whole.length <= 10 ? size : 'as much as came at once']);
    });
  }
});

test('bodies far larger than what is looked at go through', async () => {
  const filters = [authz({ withRequestBody: { maxRequestBytes: 1000, allowPartialMessage: true } })];
  const body = Array.from({ length: 64 }, (_, i) => String.fromCharCode(97 + (i % 26)).repeat(64 * 1024));
  await onBoth({ filters, tls: true }, async ({ proxy, asked, backend }) => {
    assert.is(await send(proxy.port, { show: billing, body }), `200 got ${64 * 64 * 1024}`, proxy.name);
    assert.is(await send2(proxy.port, { show: billing, body }), `200 got ${64 * 64 * 1024}`, proxy.name);
    assert.ok(
      backend.bodies.every((one) => one === body.join('')),
      proxy.name,
    );
    return asked.map(({ body: told, headers }) => [told, (headers as Record<string, string>)['x-envoy-auth-partial-body']]);
  });
});

test('two services may look at one body', async () => {
  const filters = [
    authz({ withRequestBody: { maxRequestBytes: 4, allowPartialMessage: true } }),
    authz({ withRequestBody: { maxRequestBytes: 100, allowPartialMessage: true } }),
  ];
  for (const body of ['hello world', ['hello', ' ', 'world']]) {
    await onBoth({ filters }, async ({ proxy, asked, backend }) => {
      assert.is(await send(proxy.port, { body }), '200 got 11', proxy.name);
      assert.equal(backend.bodies, ['hello world'], proxy.name);
      assert.equal(
        asked.map((one) => one['body']),
        ['hello world', 'hell'],
        proxy.name,
      );
      return undefined;
    });
  }
});

test.run();
