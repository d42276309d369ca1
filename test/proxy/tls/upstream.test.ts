import { createSecureServer } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import { onBoth } from './both.ts';
import { cluster, http, httpOptions, mutual, shown, upstream, uri } from './configs.ts';
import { caSecret, certificateSecret, createPki } from './pki.ts';

const SERVER = 'spiffe://cluster.local/ns/a/sa/server';
const ports: Record<string, number> = {};
const servers: { close(): void }[] = [];
let clusters: ClusterJson[];
let secrets: ReturnType<typeof caSecret>[];

async function listen(
  name: string,
  server: {
    listen(port: number, host: string, done: () => void): unknown;
    address(): unknown;
    close(): void;
    on(event: string, listener: () => void): unknown;
  },
): Promise<void> {
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ports[name] = (server.address() as AddressInfo).port;
  servers.push(server);
}

/** Tells what the server saw of the connection. */
function tell(
  request: { httpVersion: string; socket: unknown },
  response: { setHeader(name: string, value: string): unknown; end(text: string): unknown },
): void {
  const socket = request.socket as TLSSocket & { servername?: string | false };
  const { servername: sni, alpnProtocol: alpn } = socket;
  response.setHeader(
    'x-seen',
    JSON.stringify({ http: request.httpVersion, sni, alpn, peer: socket.getPeerCertificate().subjectaltname, tls: socket.getProtocol() }),
  );
  response.end('hi');
}

const raw = (serve: (socket: Socket) => void) =>
  createTcp((socket) => socket.on('error', () => undefined).once('data', () => serve(socket)));

test.before(async () => {
  const pki = await createPki();
  const other = await createPki('other');
  const own = await pki.issue({ uris: [SERVER], dns: ['a.test', '*.wild.test'] });
  const asks = { ca: pki.ca, requestCert: true, rejectUnauthorized: true };
  await listen('h1', createHttps({ ...own, ...asks }, tell));
  await listen('h2', createSecureServer({ ...own, ...asks, allowHTTP1: true }, tell as never));
  await listen('expired', createHttps(await pki.issue({ uris: [SERVER], from: -200_000, to: -100_000 }), tell));
  await listen('early', createHttps(await pki.issue({ uris: [SERVER], from: 200_000, to: 1_000_000 }), tell));
  await listen('alien', createHttps(await other.issue({ uris: [SERVER] }), tell));
  await listen('refuses', createHttps({ ...own, ...asks, ca: other.ca, maxVersion: 'TLSv1.2' }, tell));
  await listen('refuses13', createHttps({ ...own, ...asks, ca: other.ca, minVersion: 'TLSv1.3' }, tell));
  await listen('asks12', createHttps({ ...own, ...asks, maxVersion: 'TLSv1.2' }, tell));
  await listen(
    'plain',
    raw((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  );
  await listen(
    'ends',
    raw((socket) => socket.end()),
  );
  await listen(
    'resets',
    raw((socket) => socket.resetAndDestroy()),
  );
  await listen(
    'silent',
    raw(() => undefined),
  );
  secrets = [
    certificateSecret('default', await pki.issue({ uris: ['spiffe://cluster.local/ns/a/sa/client'] })),
    caSecret('ROOTCA', pki.ca),
  ];
  const checked = mutual([uri(SERVER)]);
  const tls13 = { tlsParams: { tlsMaximumProtocolVersion: 'TLSv1_3' as const } };
  const h2 = httpOptions({ explicitHttpConfig: { http2ProtocolOptions: {} } });
  const automatic = httpOptions({ upstreamHttpProtocolOptions: { autoSni: true, autoSanValidation: true } });
  const istio = { name: 'tlsMode-istio', match: { tlsMode: 'istio' }, transportSocket: upstream(checked) };
  const disabled = {
    name: 'tlsMode-disabled',
    match: {},
    transportSocket: {
      name: 'envoy.transport_sockets.raw_buffer',
      typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer' },
    },
  };
  const matched = cluster('by-metadata', ports['h1']!, { transportSocketMatches: [istio, disabled] });
  matched.loadAssignment!.endpoints![0]!.lbEndpoints![0]!.metadata = {
    filterMetadata: { 'envoy.transport_socket_match': { tlsMode: 'istio' } },
  };
  clusters = [
    cluster('http1', ports['h1']!, { transportSocket: upstream(checked, { sni: 'a.test' }) }),
    cluster('http1-tls13', ports['h1']!, { transportSocket: upstream({ ...checked, ...tls13 }) }),
    cluster('http2', ports['h2']!, { transportSocket: upstream({ ...checked, alpnProtocols: ['istio', 'h2'] }, { sni: 'a.test' }), ...h2 }),
    cluster('http2-by-default', ports['h2']!, { transportSocket: upstream(checked), ...h2 }),
    cluster('auto', ports['h1']!, { transportSocket: upstream(mutual()), ...automatic }),
    cluster('auto-wrong', ports['h1']!, { transportSocket: upstream(mutual()), ...automatic }),
    cluster('unchecked', ports['alien']!, { transportSocket: upstream({}) }),
    matched,
    cluster('wrong-name', ports['h1']!, { transportSocket: upstream(mutual([uri('spiffe://no')])) }),
    ...['expired', 'early', 'alien', 'refuses', 'plain', 'ends', 'resets', 'silent'].map((name) =>
      cluster(name, ports[name]!, { transportSocket: upstream(checked) }),
    ),
    cluster('refuses13', ports['refuses13']!, { transportSocket: upstream({ ...checked, ...tls13 }) }),
    cluster('no-certificate', ports['asks12']!, { transportSocket: upstream({ ...checked, tlsCertificateSdsSecretConfigs: [] }) }),
  ];
});
test.after(() => {
  for (const server of servers) server.close();
});

test('servers are trusted, named and refused as by Envoy, and failures say the same', async () => {
  const rewrites: Record<string, string> = { auto: 'x.wild.test:99', 'auto-wrong': 'b.test' };
  const routes = clusters.map(({ name = '' }) => ({
    match: { prefix: `/${name}/` },
    route: { cluster: name, ...(rewrites[name] && { hostRewriteLiteral: rewrites[name] }) },
  }));
  const manager = http(
    routes.map((route) => ({ ...route, responseHeadersToAdd: shown('UPSTREAM_TRANSPORT_FAILURE_REASON', 'RESPONSE_FLAGS') })),
  );
  const seen = await onBoth({ listener: { filterChains: [{ filters: [manager] }] }, clusters, secrets }, async (proxy) => {
    const found: Record<string, unknown> = {};
    for (const { name = '' } of clusters) {
      const answer = await fetch(`http://127.0.0.1:${proxy.port}/${name}/`);
      const ssl = ['handshake', 'connection_error', 'fail_verify_san', 'fail_verify_error', 'fail_verify_no_cert'];
      found[name] = {
        status: answer.status,
        body: await answer.text(),
        seen: JSON.parse(answer.headers.get('x-seen') ?? '{}'),
        flags: answer.headers.get('x-response-flags'),
        reason: answer.headers.get('x-upstream-transport-failure-reason'),
        counters: await Promise.all(ssl.map((one) => proxy.counter(`cluster.${name}.ssl.${one}`))),
      };
    }
    return found as Record<string, { status: number; seen: Record<string, unknown>; flags: string; reason: string | null }>;
  });
  const { embedded } = seen;
  for (const name of ['http1', 'http1-tls13', 'http2', 'http2-by-default', 'auto', 'unchecked', 'by-metadata'])
    assert.is(embedded[name]!.status, 200, name);
  assert.equal(
    [embedded['http1']!.seen['sni'], embedded['http1']!.seen['tls'], embedded['auto']!.seen['sni']],
    ['a.test', 'TLSv1.2', 'x.wild.test'],
  );
  assert.equal([embedded['http2']!.seen['http'], embedded['http2-by-default']!.seen['alpn']], ['2.0', 'h2']);
  for (const name of ['wrong-name', 'auto-wrong', 'expired', 'early', 'alien']) {
    assert.is(embedded[name]!.flags, 'UF', name);
    assert.match(embedded[name]!.reason ?? '', /^TLS_error:\|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:/, name);
  }
  if (seen.envoy !== undefined) for (const [name, what] of Object.entries(embedded)) assert.equal(what, seen.envoy[name], name);
});

test.run();
