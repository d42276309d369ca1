/** An offline root that openssl keeps: the request goes out, the certificate comes in. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead } from '../support/cli.ts';
import { withScratch } from '../support/scratch.ts';

const openssl = (cwd: string, ...args: string[]): string => execFileSync('openssl', args, { cwd, encoding: 'utf8', stdio: 'pipe' });

function makeRoot(folder: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-nodes', '-keyout', 'root.key'];
  openssl(folder, 'req', '-x509', ...key, '-out', 'root.pem', '-days', '30', '-subj', '/O=Bank/CN=offline root');
}

const sign = (folder: string, csr: string, out: string, extensions: string): void => {
  writeFileSync(join(folder, 'ext'), extensions);
  openssl(
    folder,
    'x509',
    '-req',
    '-in',
    csr,
    '-CA',
    'root.pem',
    '-CAkey',
    'root.key',
    '-out',
    out,
    '-days',
    '9',
    '-CAcreateserial',
    '-extfile',
    'ext',
  );
};
const GOOD =
  'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n';

test(
  'an intermediate under a root of openssl’s issues certificates that openssl verifies',
  withScratch(async (folder) => {
    const options = { cwd: folder, env: { FAIRLEAD_CA_DIR: join(folder, 'ca'), FAIRLEAD_PASSPHRASE: '' } };
    makeRoot(folder);
    const made = await fairlead(['ca', 'intermediate', '--csr', 'i.csr', '--trust-domain', 'bank.example'], options);
    assert.is(made.code, 0, made.err);
    const again = await fairlead(['ca', 'intermediate'], options);
    const pub = (text: string): string =>
      execFileSync('openssl', ['req', '-pubkey', '-noout', '-verify'], { input: text, encoding: 'utf8', stdio: 'pipe' });
    assert.is(pub(again.out), pub(readFileSync(join(folder, 'i.csr'), 'utf8')), 'asked again, it is the same key');
    const early = await fairlead(['cert', 'issue', 'a/b', '--out', 'x'], options);
    assert.is(early.code, 3);
    assert.match(early.err, /has no certificate to sign with yet/);

    sign(folder, 'i.csr', 'leaf.pem', 'basicConstraints=critical,CA:FALSE\n');
    sign(folder, 'i.csr', 'foreign.pem', `${GOOD}nameConstraints=critical,permitted;URI:other.example\n`);
    sign(folder, 'i.csr', 'good.pem', GOOD);
    const install = (file: string, root = 'root.pem') => fairlead(['ca', 'intermediate', '--install', file, '--root', root], options);
    for (const [ran, why] of [
      [await install('leaf.pem'), /it is no certificate authority/],
      [await install('foreign.pem'), /name constraints .* do not allow identities of bank\.example/],
      [await install('root.pem'), /none of the certificates is for the key that was requested/],
      [await install('i.csr'), /no CERTIFICATE block/],
    ] as const) {
      assert.is(ran.code, 3);
      assert.match(ran.err, why);
    }
    const good = await install('good.pem');
    assert.is(good.code, 0, good.err);
    assert.match(good.out, /it signs from now on/);
    assert.is(readdirSync(join(folder, 'ca/keys')).length, 1, 'the root’s key is not here');

    const issued = await fairlead(['cert', 'issue', 'pay/api', '--out', 'x', '--ttl', '30d'], options);
    assert.is(issued.code, 0, issued.err);
    assert.match(openssl(folder, 'verify', '-CAfile', 'root.pem', '-untrusted', 'x/cert-chain.pem', 'x/cert-chain.pem'), /OK/);
    assert.is(readFileSync(join(folder, 'x/root-cert.pem'), 'utf8').trim(), readFileSync(join(folder, 'root.pem'), 'utf8').trim());
    const status = await fairlead(['ca', 'status', '-o', 'json', '--within', '1d'], options);
    assert.is((JSON.parse(status.out) as { authorities: { rootKey: string }[] }).authorities[0]?.rootKey, 'elsewhere');
  }),
);

test.run();
