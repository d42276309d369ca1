/** The CA's commands as a process, and their certificates through openssl. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead } from '../support/cli.ts';
import { withScratch } from '../support/scratch.ts';

const WEB = 'spiffe://cluster.local/ns/default/sa/web';
const openssl = (cwd: string, ...args: string[]): string => execFileSync('openssl', args, { cwd, encoding: 'utf8', stdio: 'pipe' });
const at = (folder: string) => ({ cwd: folder, env: { FAIRLEAD_CA_DIR: join(folder, 'ca'), FAIRLEAD_PASSPHRASE: '' } });
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

async function succeeds(args: string[], options: ReturnType<typeof at>) {
  const ran = await fairlead(args, options);
  assert.is(ran.code, 0, `${args.join(' ')}: ${ran.err}${ran.out}`);
  return ran.out;
}

test(
  'an authority is made once, with private keys; what it issues is verified by openssl and listed',
  withScratch(async (folder) => {
    const options = at(folder);
    const dry = JSON.parse(await succeeds(['ca', 'init', '--dry-run', '--json'], options)) as { trustDomain: string };
    assert.is(dry.trustDomain, 'cluster.local');
    assert.not(existsSync(join(folder, 'ca')));
    assert.match(await succeeds(['ca', 'init'], options), /ACTIVE.*expires in 3649 d.*expires in 364 d.*ECDSA P-256/);
    const before = readFileSync(join(folder, 'ca/state.json'), 'utf8');
    const again = await fairlead(['ca', 'init'], options);
    assert.is(again.code, 3);
    assert.match(again.err, /there is a certificate authority in .* already; it is never overwritten/);
    assert.is(readFileSync(join(folder, 'ca/state.json'), 'utf8'), before);
    assert.is(mode(join(folder, 'ca')), '700');
    const keys = readdirSync(join(folder, 'ca/keys'));
    assert.is(keys.length, 2);
    for (const key of keys) assert.is(mode(join(folder, 'ca/keys', key)), '600');

    writeFileSync(join(folder, 'roots.pem'), await succeeds(['ca', 'bundle'], options));
    await succeeds(['cert', 'issue', 'default/web', '--out', 'web', '--dns', 'web.default.svc.cluster.local'], options);
    assert.is(mode(join(folder, 'web/key.pem')), '600');
    assert.match(openssl(folder, 'verify', '-CAfile', 'roots.pem', '-untrusted', 'web/cert-chain.pem', 'web/cert-chain.pem'), /: OK/);
    const text = openssl(folder, 'x509', '-in', 'web/cert-chain.pem', '-noout', '-text');
    assert.match(text, /URI:spiffe:\/\/cluster\.local\/ns\/default\/sa\/web, DNS:web\.default\.svc\.cluster\.local/);
    assert.is(
      openssl(folder, 'pkey', '-in', 'web/key.pem', '-pubout'),
      openssl(folder, 'x509', '-in', 'web/cert-chain.pem', '-noout', '-pubkey'),
    );
    const verified = await succeeds(
      ['cert', 'verify', 'web/cert-chain.pem', '--ca', 'web/root-cert.pem', '--purpose', 'svid', '--name', WEB],
      options,
    );
    assert.match(verified, /is valid/);
    const overwrite = await fairlead(['cert', 'issue', 'default/web', '--out', 'web'], options);
    assert.is(overwrite.code, 3);
    assert.match(overwrite.err, /is there already/);

    openssl(folder, 'req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'k.pem', '-out', 'r.csr', '-subj', '/CN=ignored');
    const chain = await succeeds(['cert', 'issue', WEB, '--csr', 'r.csr', '--out', '-', '--ttl', '1000d'], options);
    writeFileSync(join(folder, 'chain.pem'), chain);
    assert.match(openssl(folder, 'verify', '-CAfile', 'roots.pem', '-untrusted', 'chain.pem', 'chain.pem'), /OK/);

    const listed = JSON.parse(await succeeds(['cert', 'list', '--json'], options)) as {
      identity: string;
      serial: string;
      notAfter: string;
      time: string;
    }[];
    assert.is(listed.length, 2);
    const serial = openssl(folder, 'x509', '-in', 'web/cert-chain.pem', '-noout', '-serial').trim().slice('serial='.length).toLowerCase();
    assert.is(listed[0]?.serial, serial.replace(/^0+/, ''));
    const life = (entry: { notAfter: string; time: string }) =>
      Math.round((Date.parse(entry.notAfter) - Date.parse(entry.time)) / 3_600_000);
    assert.is(life(listed[0]!), 24);
    assert.is(life(listed[1]!), 48, 'a life beyond the cap is cut to it');
    const jwks = JSON.parse(await succeeds(['ca', 'bundle', '-o', 'jwks'], options)) as { keys: { use: string; x5c: string[] }[] };
    assert.equal(
      jwks.keys.map((key) => key.use),
      ['x509-svid'],
    );
  }),
);

test(
  'keys are encrypted with a passphrase, and a wrong or missing one is named without showing anything',
  withScratch(async (folder, write) => {
    write('pass', 'correct horse\n');
    write('wrong', 'battery\n');
    const options = at(folder);
    await succeeds(['ca', 'init', '--trust-domain', 'prod.example', '--algorithm', 'ec-p384', '--passphrase-file', 'pass'], options);
    for (const key of readdirSync(join(folder, 'ca/keys')))
      assert.match(readFileSync(join(folder, 'ca/keys', key), 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    const id = 'spiffe://prod.example/ns/a/sa/b';
    for (const [given, why] of [
      [[], /no passphrase was given/],
      [['--passphrase-file', 'wrong'], /does not open the key/],
    ] as const) {
      const ran = await fairlead(['cert', 'issue', id, '--out', 'x', ...given], options);
      assert.is(ran.code, 3);
      assert.match(ran.err, /keys\/\w+-signer\.pem: /);
      assert.match(ran.err, why);
      assert.not.match(ran.err, /battery|PRIVATE KEY|\n\s+at /);
    }
    await succeeds(['cert', 'issue', id, '--out', 'x', '--passphrase-file', 'pass'], options);
    const log = readFileSync(join(folder, 'ca/audit.jsonl'), 'utf8');
    assert.not.match(log, /correct horse|PRIVATE/);
    const status = JSON.parse(await succeeds(['ca', 'status', '--json'], options)) as { authorities: { encrypted: boolean }[] };
    assert.is(status.authorities[0]?.encrypted, true);
    const soon = await fairlead(['ca', 'status', '--within', '400d'], options);
    assert.is(soon.code, 1);
    assert.match(soon.out, /WARNING: the intermediate of \w+ expires in 364 d/);
  }),
);

test(
  'what cannot be is refused in words: no authority, a damaged state, foreign and malformed identities, weak keys',
  withScratch(async (folder) => {
    const options = at(folder);
    const fails = async (args: string[], code: number, pattern: RegExp): Promise<void> => {
      const ran = await fairlead(args, options);
      assert.is(ran.code, code, ran.err);
      assert.match(ran.err, pattern);
      assert.not.match(ran.err, /\n\s+at /);
    };
    for (const args of [
      ['ca', 'status'],
      ['ca', 'bundle'],
      ['cert', 'list'],
      ['cert', 'issue', 'a/b', '--out', 'x'],
    ])
      await fails(args, 3, /there is no certificate authority in/);
    await fails(['ca', 'init', '--trust-domain', 'Bad Domain'], 2, /the trust domain has "B"/);
    await succeeds(['ca', 'init'], options);
    await fails(['cert', 'issue', 'spiffe://other/ns/a/sa/b', '--out', 'x'], 2, /not in this CA’s trust domain/);
    await fails(['cert', 'issue', 'spiffe://cluster.local', '--out', 'x'], 2, /not a workload/);
    await fails(['cert', 'issue', 'a/b', '--out', 'x', '--dns', 'bad name'], 3, /is not a host name/);
    openssl(folder, 'req', '-new', '-newkey', 'rsa:1024', '-nodes', '-keyout', 'k.pem', '-out', 'weak.csr', '-subj', '/CN=w');
    await fails(['cert', 'issue', 'a/b', '--out', 'x', '--csr', 'weak.csr'], 3, /may not have a certificate .*it has 1024 bits/s);
    const csr = readFileSync(join(folder, 'weak.csr'), 'utf8').split('\n');
    writeFileSync(join(folder, 'cut.csr'), [...csr.slice(0, 3), ...csr.slice(4)].join('\n'));
    await fails(['cert', 'issue', 'a/b', '--out', 'x', '--csr', 'cut.csr'], 3, /request/);
    assert.not(existsSync(join(folder, 'x')));
    writeFileSync(join(folder, 'ca/state.json'), '{"version": 1');
    await fails(['ca', 'status'], 3, /state\.json is damaged/s);
    assert.is(readdirSync(join(folder, 'ca/keys')).length, 2);
  }),
);

test.run();
