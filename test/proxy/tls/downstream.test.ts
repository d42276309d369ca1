import { type ConnectionOptions, connect } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onBoth, type ProxyUnderTest, startEmbedded } from './both.ts';
import { downstream, http, mutual, shown, TLS_INSPECTOR, uri } from './configs.ts';
import { caSecret, certificateSecret, createPki, type Issued, type Pki } from './pki.ts';

const CLIENT = 'spiffe://cluster.local/ns/a/sa/client';
let pki: Pki;
let server: Issued;
let client: Issued;

test.before(async () => {
  pki = await createPki();
  server = await pki.issue({ uris: ['spiffe://cluster.local/ns/a/sa/server'], dns: ['a.test'] });
  client = await pki.issue({ uris: [CLIENT], dns: ['client.test', 'second.test'], cn: 'clïent, one' });
});

/** What came back for one request, and how it ended. */
function ask(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', ca: pki.ca, checkServerIdentity: () => undefined, servername: 'a.test', ...options });
    let text = '';
    socket.on('secureConnect', () =>
      socket.write('GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-client-cert: By=before\r\nconnection: close\r\n\r\n'),
    );
    socket.on('data', (chunk) => (text += chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(`${text}error ${error.code}`));
    socket.on('close', () => resolve(text.replace(/^date: .*\r\n/m, '')));
  });
}

const chain = (more: object = {}) => ({ ...mutual([uri(CLIENT)]), alpnProtocols: ['h2', 'http/1.1'], ...more });
const OPERATORS = [
  'DOWNSTREAM_TLS_VERSION',
  'DOWNSTREAM_TLS_CIPHER',
  'DOWNSTREAM_PEER_URI_SAN',
  'DOWNSTREAM_PEER_DNS_SAN',
  'DOWNSTREAM_PEER_SUBJECT',
  'DOWNSTREAM_PEER_ISSUER',
  'DOWNSTREAM_PEER_SERIAL',
  'DOWNSTREAM_PEER_FINGERPRINT_256',
  'DOWNSTREAM_PEER_CERT_V_END',
  'DOWNSTREAM_PEER_CERT_V_START(%s)',
  'DOWNSTREAM_LOCAL_URI_SAN',
  'DOWNSTREAM_LOCAL_DNS_SAN',
  'REQUESTED_SERVER_NAME',
  'REQ(:SCHEME)',
  'REQ(X-FORWARDED-PROTO)',
  'REQ(X-FORWARDED-CLIENT-CERT)',
];

function config(details: string, tls: object = chain()) {
  const route = {
    match: { prefix: '/' },
    directResponse: { status: 200, body: { inlineString: 'served' } },
    responseHeadersToAdd: shown(...OPERATORS),
  };
  const manager = { forwardClientCertDetails: details, setCurrentClientCertDetails: { subject: true, cert: true, dns: true, uri: true } };
  return {
    listener: { listenerFilters: [TLS_INSPECTOR], filterChains: [{ transportSocket: downstream(tls), filters: [http([route], manager)] }] },
    secrets: [certificateSecret('default', server), caSecret('ROOTCA', pki.ca)],
  };
}

for (const details of ['SANITIZE', 'FORWARD_ONLY', 'APPEND_FORWARD', 'SANITIZE_SET', 'ALWAYS_FORWARD_ONLY']) {
  test(`a request over mutual TLS shows what Envoy shows, x-forwarded-client-cert ${details}`, async () => {
    const seen = await onBoth(config(details), async (proxy) => ({
      tls13: await ask(proxy.port, client),
      tls12: await ask(proxy.port, { ...client, maxVersion: 'TLSv1.2' }),
      foreign: await ask(proxy.port, { ...client, ALPNProtocols: ['unknown'] }),
    }));
    assert.match(seen.embedded.tls13, /^HTTP\/1\.1 200 /);
    assert.match(seen.embedded.tls13, /x-downstream-tls-version: TLSv1\.3/);
    assert.match(seen.embedded.tls12, /x-downstream-tls-version: TLSv1\.2/);
    if (details === 'SANITIZE_SET')
      assert.match(seen.embedded.tls13, /\nx-reqx[a-z-]*: By=spiffe:\/\/cluster.local\/ns\/a\/sa\/server;Hash=[0-9a-f]{64};Cert="/);
    if (seen.envoy !== undefined) assert.equal(seen.embedded, seen.envoy);
  });
}

/** Counters of a listener after some failures. */
const COUNTERS = [
  'handshake',
  'connection_error',
  'fail_verify_no_cert',
  'fail_verify_san',
  'fail_verify_error',
  'fail_verify_cert_hash',
  'no_certificate',
];
const counters = async (proxy: ProxyUnderTest): Promise<Record<string, number>> =>
  Object.fromEntries(await Promise.all(COUNTERS.map(async (name) => [name, await proxy.counter(`listener.<address>.ssl.${name}`)])));

test('every client that must not get in is kept out and counted as Envoy counts it', async () => {
  const stranger = await createPki('other');
  const bad: Record<string, ConnectionOptions> = {
    'no certificate': {},
    'wrong name': await pki.issue({ uris: ['spiffe://cluster.local/ns/a/sa/other'] }),
    expired: await pki.issue({ uris: [CLIENT], from: -200_000, to: -100_000 }),
    'not yet valid': await pki.issue({ uris: [CLIENT], from: 200_000, to: 1_000_000 }),
    'another root': await stranger.issue({ uris: [CLIENT] }),
    'TLS 1.1': { ...client, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    'a cipher that nobody has': { ...client, maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' },
    'no certificate, TLS 1.2': { maxVersion: 'TLSv1.2' },
    'another root, TLS 1.2': { ...(await stranger.issue({ uris: [CLIENT] })), maxVersion: 'TLSv1.2' },
  };
  const seen = await onBoth(config('SANITIZE'), async (proxy) => {
    for (const [name, options] of Object.entries(bad))
      assert.not.match(await ask(proxy.port, options), /HTTP\/1\.1/, `${proxy.name}: ${name}`);
    assert.match(await ask(proxy.port, client), /served$/);
    return counters(proxy);
  });
  assert.equal(seen.embedded, {
    handshake: 1,
    connection_error: 2,
    fail_verify_no_cert: 2,
    fail_verify_san: 1,
    fail_verify_error: 4,
    fail_verify_cert_hash: 0,
    no_certificate: 0,
  });
  if (seen.envoy !== undefined) assert.equal(seen.embedded, seen.envoy);
});

test('a client may show a certificate or none where none is required, but no bad one; who is asked for a name must show it', async () => {
  const stranger = await (await createPki('other')).issue({ uris: [CLIENT] });
  const optional = config('SANITIZE_SET');
  optional.listener.filterChains[0]!.transportSocket = downstream(mutual(), { requireClientCertificate: false });
  const seen = await onBoth(optional, async (proxy) => ({
    none: await ask(proxy.port, {}),
    own: await ask(proxy.port, client),
    stranger: /HTTP/.test(await ask(proxy.port, stranger)),
    counters: await counters(proxy),
  }));
  assert.match(seen.embedded.none, /served$/);
  assert.not.match(seen.embedded.none, /Hash=/);
  assert.match(seen.embedded.own, /Hash=/);
  assert.is(seen.embedded.stranger, false);
  if (seen.envoy !== undefined) assert.equal(seen.embedded, seen.envoy);
  optional.listener.filterChains[0]!.transportSocket = downstream(mutual([uri(CLIENT)]), { requireClientCertificate: false });
  const named = await onBoth(optional, async (proxy) => [await ask(proxy.port, {}), await counters(proxy)]);
  assert.is(named.embedded[0], 'error ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
  if (named.envoy !== undefined) assert.equal(named.embedded, named.envoy);
});

test('names, hashes and keys of clients are matched as Envoy does', async () => {
  const { X509Certificate, createHash } = await import('node:crypto');
  const x509 = new X509Certificate(client.cert);
  const spki = createHash('sha256')
    .update(x509.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
  const cases: [string, object, boolean][] = [
    ['URI prefix', { matchTypedSubjectAltNames: [{ sanType: 'URI', matcher: { prefix: 'spiffe://cluster.local/' } }] }, true],
    ['URI suffix', { matchTypedSubjectAltNames: [{ sanType: 'URI', matcher: { suffix: '/sa/client' } }] }, true],
    ['URI contains', { matchTypedSubjectAltNames: [{ sanType: 'URI', matcher: { contains: '/ns/b/' } }] }, false],
    ['URI regex', { matchTypedSubjectAltNames: [{ sanType: 'URI', matcher: { safeRegex: { regex: 'spiffe://.*/sa/cl[a-z]+' } } }] }, true],
    ['DNS exact', { matchTypedSubjectAltNames: [{ sanType: 'DNS', matcher: { exact: 'second.test' } }] }, true],
    ['DNS where it is a URI', { matchTypedSubjectAltNames: [{ sanType: 'DNS', matcher: { exact: CLIENT } }] }, false],
    ['one of two', { matchTypedSubjectAltNames: [uri('spiffe://no'), uri(CLIENT)] }, true],
    ['hash', { verifyCertificateHash: [x509.fingerprint256] }, true],
    ['another hash', { verifyCertificateHash: ['00'.repeat(32)] }, false],
    ['key', { verifyCertificateSpki: [spki] }, true],
    ['another hash, but the key', { verifyCertificateHash: ['00'.repeat(32)], verifyCertificateSpki: [spki] }, true],
  ];
  for (const [name, context, expected] of cases) {
    const combined = { defaultValidationContext: context, validationContextSdsSecretConfig: { name: 'ROOTCA' } };
    const seen = await onBoth(config('SANITIZE', chain({ combinedValidationContext: combined })), async ({ port }) =>
      /served$/.test(await ask(port, client)),
    );
    assert.is(seen.embedded, expected, name);
    if (seen.envoy !== undefined) assert.is(seen.envoy, expected, `Envoy: ${name}`);
  }
});

test('ALPN is chosen in the order of the server', async () => {
  const seen = await onBoth(config('SANITIZE', chain({ alpnProtocols: ['istio', 'http/1.1'] })), async ({ port }) => {
    const chosen: unknown[] = [];
    for (const ALPNProtocols of [['http/1.1', 'istio'], ['http/1.1'], ['unknown'], []]) {
      chosen.push(
        await new Promise((resolve, reject) => {
          const socket = connect(
            { port, host: '127.0.0.1', ...client, rejectUnauthorized: false, servername: 'a.test', ALPNProtocols },
            () => {
              resolve(socket.alpnProtocol);
              socket.destroy();
            },
          );
          socket.on('error', reject);
        }),
      );
    }
    return chosen;
  });
  assert.equal(seen.embedded, ['istio', 'http/1.1', false, false]);
  if (seen.envoy !== undefined) assert.equal(seen.envoy, seen.embedded);
});

test('chains by server name have certificates of their own; one without its secret fails alone', async () => {
  const other = await pki.issue({ dns: ['b.test'] });
  const answer = (text: string) => [http([{ match: { prefix: '/' }, directResponse: { status: 200, body: { inlineString: text } } }])];
  const byName = (name: string, secret: string) => ({
    filterChainMatch: { serverNames: [name] },
    transportSocket: downstream({ tlsCertificateSdsSecretConfigs: [{ name: secret }] }, {}),
    filters: answer(name),
  });
  const proxy = await startEmbedded({
    listener: {
      listenerFilters: [TLS_INSPECTOR],
      filterChains: [byName('a.test', 'default'), byName('b.test', 'other'), byName('c.test', 'late')],
    },
    secrets: [certificateSecret('default', server), certificateSecret('other', other)],
  });
  try {
    assert.match(await ask(proxy.port, { servername: 'a.test' }), /a\.test$/);
    assert.match(await ask(proxy.port, { servername: 'b.test' }), /b\.test$/);
    assert.match(await ask(proxy.port, { servername: 'c.test' }), /^error ECONNRESET/);
    const late = await pki.issue({ dns: ['c.test'] });
    assert.equal(
      proxy.secrets!.set([certificateSecret('default', server), certificateSecret('other', other), certificateSecret('late', late)]),
      [],
    );
    assert.match(await ask(proxy.port, { servername: 'c.test' }), /c\.test$/);
  } finally {
    await proxy.close();
  }
});

test.run();
