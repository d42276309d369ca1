/** The cert commands on certificates that openssl made, and on live ports. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { keyToPem } from '../../src/pki/keys.ts';
import { HOUR, issue, makeRoot, uri, WORKLOAD } from '../pki/authority.ts';
import { fairlead } from '../support/cli.ts';
import { withScratch } from '../support/scratch.ts';

const cert = (cwd: string, ...args: string[]) => fairlead(['cert', ...args], { cwd });
const openssl = (cwd: string, ...args: string[]): string => execFileSync('openssl', args, { cwd, encoding: 'utf8', stdio: 'pipe' });

function makeByOpenssl(folder: string): void {
  openssl(
    folder,
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'k.pem',
    '-out',
    'c.pem',
    '-days',
    '20',
    '-subj',
    '/O=Them/CN=peer',
    '-addext',
    `subjectAltName=URI:${WORKLOAD},DNS:peer.example`,
  );
}

test(
  'one certificate is read from PEM, DER, PKCS#12, a Secret and a config dump, and is the same each time',
  withScratch(async (folder) => {
    makeByOpenssl(folder);
    openssl(folder, 'x509', '-in', 'c.pem', '-outform', 'DER', '-out', 'c.der');
    openssl(folder, 'pkcs12', '-export', '-in', 'c.pem', '-inkey', 'k.pem', '-out', 'c.p12', '-passout', 'pass:secret');
    const base64 = readFileSync(join(folder, 'c.pem')).toString('base64');
    writeFileSync(
      join(folder, 'secret.yaml'),
      `apiVersion: v1\nkind: Secret\nmetadata: { name: web, namespace: shop }\ndata:\n  tls.crt: ${base64}\n  tls.key: ${readFileSync(join(folder, 'k.pem')).toString('base64')}\n`,
    );
    const secret = { name: 'default', secret: { name: 'default', tls_certificate: { certificate_chain: { inline_bytes: base64 } } } };
    writeFileSync(
      join(folder, 'dump.json'),
      JSON.stringify({ configs: [{ '@type': 'type.googleapis.com/envoy.admin.v3.SecretsConfigDump', dynamic_active_secrets: [secret] }] }),
    );
    const fingerprint = openssl(folder, 'x509', '-in', 'c.pem', '-noout', '-fingerprint', '-sha256')
      .split('=')[1]!
      .trim()
      .replaceAll(':', '')
      .toLowerCase();
    for (const file of ['c.pem', 'c.der', 'c.p12', 'secret.yaml', 'dump.json']) {
      const ran = await fairlead(['cert', 'show', file, '--json'], { cwd: folder, env: { FAIRLEAD_PASSPHRASE: 'secret' } });
      assert.is(ran.code, 0, `${file}: ${ran.err}`);
      const [shown] = JSON.parse(ran.out) as { certificates: { sha256: string; identity: string }[] }[];
      assert.is(shown?.certificates[0]?.sha256, fingerprint, file);
      assert.is(shown?.certificates[0]?.identity, WORKLOAD);
    }
    const text = await cert(folder, 'show', 'c.pem');
    assert.match(
      text.out,
      /identity\s+spiffe:\/\/cluster\.local\/ns\/default\/sa\/web\n\s+subject\s+O = Them, CN = peer\n\s+issuer\s+itself/,
    );
    assert.match(text.out, /expires\s+in 19 d/);
  }),
);

test(
  'a live port shows its chain, also when it wants a certificate from the client',
  withScratch(async (folder) => {
    const root = await makeRoot();
    const leaf = await issue(root, { sans: [uri(WORKLOAD)] });
    const server = createServer({
      key: keyToPem(leaf.key),
      cert: leaf.certificate.pem,
      ca: root.certificate.pem,
      requestCert: true,
      rejectUnauthorized: true,
    });
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    try {
      writeFileSync(join(folder, 'root.pem'), root.certificate.pem);
      const shown = await cert(folder, 'show', `127.0.0.1:${port}`);
      assert.is(shown.code, 0, shown.err);
      assert.match(shown.out, /identity\s+spiffe:\/\/cluster\.local\/ns\/default\/sa\/web/);
      const verified = await cert(folder, 'verify', `127.0.0.1:${port}`, '--ca', 'root.pem', '--purpose', 'svid', '--name', WORKLOAD);
      assert.is(verified.code, 0, verified.out);
      assert.match(verified.out, /is valid\n\n.*\n {2}issued by O = Fairlead, CN = test root|is valid/);
    } finally {
      server.close();
    }
  }),
);

test(
  'verify names what is wrong with each certificate, and exits with 1',
  withScratch(async (folder) => {
    const root = await makeRoot();
    const other = await makeRoot({ subject: { commonName: 'other root' } });
    const sans = [uri(WORKLOAD)];
    const put = (name: string, pem: string): void => writeFileSync(join(folder, name), pem);
    put('root.pem', root.certificate.pem);
    put(
      'expired.pem',
      (await issue(root, { sans, notBefore: new Date(Date.now() - 2 * HOUR), notAfter: new Date(Date.now() - HOUR) })).certificate.pem,
    );
    put(
      'future.pem',
      (await issue(root, { sans, notBefore: new Date(Date.now() + HOUR), notAfter: new Date(Date.now() + 2 * HOUR) })).certificate.pem,
    );
    put('stranger.pem', (await issue(other, { sans })).certificate.pem);
    put('name.pem', (await issue(root, { sans: [uri('spiffe://cluster.local/ns/default/sa/other')] })).certificate.pem);
    openssl(
      folder,
      'req',
      '-x509',
      '-newkey',
      'rsa:1024',
      '-nodes',
      '-keyout',
      'wk.pem',
      '-out',
      'weak.pem',
      '-days',
      '20',
      '-subj',
      '/CN=weak',
      '-addext',
      `subjectAltName=URI:${WORKLOAD}`,
    );
    const good = await issue(root, { sans });
    const der = Buffer.from(good.certificate.der);
    const at = der.indexOf('sa/web');
    der[at + 3]! ^= 1;
    put('tampered.pem', `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`);
    const cases: [file: string, code: RegExp][] = [
      ['expired.pem', /expired\s+spiffe.*it expired on/],
      ['future.pem', /not-yet-valid\s+spiffe.*it is not valid before/],
      ['stranger.pem', /unknown-root\s+spiffe.*nothing trusted issued it: its issuer is .*other root/],
      ['name.pem', /wrong-name\s+spiffe.*it is for spiffe:\/\/cluster\.local\/ns\/default\/sa\/other, not for/],
      ['weak.pem', /weak-key\s+spiffe.*RSA 1024.*2048 are the least/],
      ['tampered.pem', /bad-signature\s+spiffe.*its signature is not one of/],
    ];
    for (const [file, says] of cases) {
      const ran = await cert(folder, 'verify', file, '--ca', 'root.pem', '--name', WORKLOAD);
      assert.is(ran.code, 1, `${file}: ${ran.out}${ran.err}`);
      assert.match(ran.out, says, file);
    }
    put('good.pem', good.certificate.pem);
    const later = await cert(folder, 'verify', 'good.pem', '--ca', 'root.pem', '--at', '2099-01-01');
    assert.is(later.code, 1);
    assert.match(later.out, /expired/);
    assert.is((await cert(folder, 'verify', 'good.pem', '--ca', 'root.pem')).code, 0);
  }),
);

test(
  'check is for cron: quiet and 0 when all is well, 1 with a line for each that is not',
  withScratch(async (folder) => {
    const root = await makeRoot({ notAfter: new Date(Date.now() + 1000 * HOUR) });
    const leaf = await issue(root, { sans: [uri(WORKLOAD)], notAfter: new Date(Date.now() + 100 * HOUR) });
    writeFileSync(join(folder, 'chain.pem'), leaf.certificate.pem + root.certificate.pem);
    writeFileSync(join(folder, 'key.pem'), keyToPem(leaf.key));
    const fine = await cert(folder, 'check', folder, '--within', '3d', '-q');
    assert.is(fine.code, 0, fine.out + fine.err);
    assert.is(fine.out, '');
    const soon = await cert(folder, 'check', '.', '--within', '5d', '-q');
    assert.is(soon.code, 1);
    assert.match(soon.out, /^EXPIRING\s+chain\.pem: spiffe:\/\/cluster\.local\/ns\/default\/sa\/web expires in 4 d, on \d{4}-[^\n]+\n$/);
  }),
);

test(
  'bad input is one clear error without a stack',
  withScratch(async (folder) => {
    writeFileSync(join(folder, 'text.pem'), 'hello\n');
    writeFileSync(join(folder, 'broken.pem'), '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n');
    writeFileSync(join(folder, 'empty.pem'), '');
    const cases: [args: string[], code: number, says: RegExp][] = [
      [['show', 'nowhere.pem'], 3, /nowhere\.pem cannot be read: ENOENT/],
      [['show', 'text.pem'], 3, /text\.pem: there is no certificate in it/],
      [['show', 'broken.pem'], 3, /broken\.pem: this is not a certificate/],
      [['show', 'empty.pem'], 3, /empty\.pem: it is empty/],
      [['show', '127.0.0.1:1'], 3, /no certificate from 127\.0\.0\.1:1: the connection is refused/],
      [['show'], 2, /say which certificates/],
      [['check', '.', '--within', 'soon'], 2, /"soon" is not a length of time/],
      [['verify', 'text.pem', '--ca', 'text.pem', '--at', 'x'], 2, /is not a time/],
    ];
    for (const [args, code, says] of cases) {
      const ran = await cert(folder, ...args);
      assert.is(ran.code, code, `${args.join(' ')}: ${ran.out}${ran.err}`);
      assert.match(ran.err, says);
      assert.not.match(ran.err, /\n\s+at /);
    }
  }),
);

test.run();
