/** What we make is read, verified and used by others: openssl and Node's TLS. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encryptKey } from '../../src/pki/encrypt-key.ts';
import { generateKey, KEY_ALGORITHMS, keyToPem, readKey } from '../../src/pki/keys.ts';
import { PkiError } from '../../src/pki/pki-error.ts';
import { createRequest, readRequest } from '../../src/pki/request.ts';
import { type Issued, issue, makeRoot, uri, WORKLOAD } from './authority.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
test.after(() => rmSync(folder, { recursive: true }));

async function openssl(...args: string[]): Promise<string> {
  const { stdout, stderr } = await run('openssl', args, { cwd: folder });
  return stdout + stderr;
}

const put = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);

async function chainOf(algorithm: (typeof KEY_ALGORITHMS)[number]): Promise<{ root: Issued; intermediate: Issued; leaf: Issued }> {
  const root = await makeRoot({}, algorithm);
  const subject = { commonName: 'online' };
  const constraints = { permittedUriHosts: ['cluster.local'] };
  const intermediate = await issue(root, { subject, ca: { pathLength: 0, constraints } }, algorithm);
  const leaf = await issue(
    intermediate,
    { sans: [uri(WORKLOAD), { type: 'dns', value: 'web.local' }, { type: 'ip', value: '2001:db8::1' }] },
    algorithm,
  );
  return { root, intermediate, leaf };
}

for (const algorithm of KEY_ALGORITHMS) {
  test(`openssl verifies a chain of ${algorithm}, strictly`, async () => {
    const { root, intermediate, leaf } = await chainOf(algorithm);
    await Promise.all([
      put('root.pem', root.certificate.pem),
      put('int.pem', intermediate.certificate.pem),
      put('leaf.pem', leaf.certificate.pem),
    ]);
    const verdict = await openssl(
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-CAfile',
      'root.pem',
      '-untrusted',
      'int.pem',
      'leaf.pem',
    );
    assert.match(verdict, /leaf\.pem: OK/);
    const text = await openssl('x509', '-in', 'leaf.pem', '-noout', '-text');
    assert.match(
      text,
      /X509v3 Subject Alternative Name: critical\s+URI:spiffe:\/\/cluster\.local\/ns\/default\/sa\/web, DNS:web\.local, IP Address:2001:DB8:0:0:0:0:0:1/,
    );
    assert.match(text, /X509v3 Key Usage: critical\s+Digital Signature\n/);
    assert.match(text, /TLS Web Server Authentication, TLS Web Client Authentication/);
    const above = await openssl('x509', '-in', 'int.pem', '-noout', '-text');
    assert.match(above, /CA:TRUE, pathlen:0/);
    assert.match(above, /Permitted:\s+URI:cluster\.local/);
  });
}

test('openssl refuses what the constraints of an intermediate forbid, as we do', async () => {
  const { root, intermediate } = await chainOf('ec-p256');
  const stranger = await issue(intermediate, { sans: [uri('spiffe://elsewhere.example/ns/a/sa/b')] });
  await Promise.all([
    put('root.pem', root.certificate.pem),
    put('int.pem', intermediate.certificate.pem),
    put('s.pem', stranger.certificate.pem),
  ]);
  const refused = await openssl('verify', '-CAfile', 'root.pem', '-untrusted', 'int.pem', 's.pem').catch((error) => String(error.stderr));
  assert.match(refused, /permitted subtree violation/);
});

test('openssl accepts our requests; we accept those of openssl', async () => {
  const key = await generateKey('ec-p384');
  await put('own.csr', createRequest(key, [uri(WORKLOAD)], { commonName: 'web' }));
  assert.match(await openssl('req', '-in', 'own.csr', '-verify', '-noout', '-text'), /URI:spiffe:\/\/cluster\.local[\s\S]*verify OK/);
  await openssl(
    'req',
    '-new',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'k.pem',
    '-out',
    'their.csr',
    '-subj',
    '/O=them/CN=web',
    '-addext',
    `subjectAltName=URI:${WORKLOAD}`,
  );
  const theirs = readRequest((await run('cat', [join(folder, 'their.csr')])).stdout);
  assert.equal(theirs.sans, [uri(WORKLOAD)]);
  assert.is(theirs.subject, 'O = them, CN = web');
  assert.is(theirs.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
});

test('a request whose signature is broken is refused', async () => {
  const pem = createRequest(await generateKey('ec-p256'), [uri(WORKLOAD)]);
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  der[der.length - 1]! ^= 1;
  assert.throws(
    () => readRequest(der),
    (error: unknown) => error instanceof PkiError && error.code === 'request-unsigned',
  );
});

test('an encrypted key opens with its passphrase in openssl and here, and with no other', async () => {
  const key = await generateKey('ec-p256');
  const pem = await encryptKey(key, 'päss phrase');
  await put('enc.pem', pem);
  assert.match(await openssl('pkey', '-in', 'enc.pem', '-passin', 'pass:päss phrase', '-noout', '-text'), /NIST CURVE: P-256/);
  assert.ok(readKey(pem, 'päss phrase').equals(key));
  for (const passphrase of [undefined, 'wrong'])
    assert.throws(
      () => readKey(pem, passphrase),
      (error: unknown) => error instanceof PkiError && error.code === 'key-encrypted',
    );
});

test('a wrong passphrase is called that, also when the rubbish it gives is well padded', async () => {
  // PBKDF2 with few rounds: quick to try often.
  const key = await generateKey('ec-p256');
  const pem = key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'right' }) as string;
  for (let i = 0; i < 600; i++)
    assert.throws(
      () => readKey(pem, `wrong ${i}`),
      (error: unknown) => error instanceof PkiError && error.code === 'key-encrypted',
      `wrong ${i}`,
    );
});

test('two workloads speak mutual TLS with what was issued, TLS 1.2 and 1.3', async () => {
  const { root, intermediate, leaf } = await chainOf('ec-p256');
  const caller = await issue(intermediate, { sans: [uri('spiffe://cluster.local/ns/default/sa/caller')] });
  const identity = (issued: Issued) => ({
    key: keyToPem(issued.key),
    cert: issued.certificate.pem + intermediate.certificate.pem,
    ca: root.certificate.pem,
  });
  const server = createServer({ ...identity(leaf), requestCert: true, rejectUnauthorized: true }, (socket) => socket.end('hello'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  try {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = connect({ port, ...identity(caller), minVersion: version, maxVersion: version, servername: 'web.local' });
      const [data] = (await once(socket, 'data')) as [Buffer];
      assert.is(data.toString(), 'hello');
      assert.ok((socket as TLSSocket).authorized);
      assert.match((socket as TLSSocket).getPeerCertificate().subjectaltname ?? '', /URI:spiffe:\/\/cluster\.local\/ns\/default\/sa\/web/);
      socket.destroy();
    }
  } finally {
    server.close();
  }
});

test.run();
