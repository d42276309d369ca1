/** The certificates of a node with a CA at hand: issued, kept, renewed, checked by openssl. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { initCa } from '../../../agent/ca/init.ts';
import { issueLocally } from '../../../agent/ca/local-issue.ts';
import { rotate, rotationStatus } from '../../../agent/ca/rotate.ts';
import { readCertificates } from '../../../src/pki/certificate.ts';
import { until } from '../../support/http.ts';
import { withScratch } from '../../support/scratch.ts';
import { type Node, startNode } from './node.ts';

const IDENTITY = 'spiffe://cluster.local/ns/default/sa/web';
const chainOf = (node: Node): string => node.secret('default')?.tlsCertificate?.certificateChain?.inlineString ?? '';
const keyOf = (node: Node): string => node.secret('default')?.tlsCertificate?.privateKey?.inlineString ?? '';
const rootsOf = (node: Node): string => node.secret('ROOTCA')?.validationContext?.trustedCa?.inlineString ?? '';
const serialOf = (node: Node): string => readCertificates(chainOf(node))[0]!.serial;

/** What openssl says of what the engine got. */
function verify(folder: string, chain: string, roots: string): string {
  const [leaf, ...others] = readCertificates(chain);
  writeFileSync(join(folder, 'leaf.pem'), leaf!.pem);
  writeFileSync(join(folder, 'others.pem'), others.map(({ pem }) => pem).join(''));
  writeFileSync(join(folder, 'roots.pem'), roots);
  return execFileSync('openssl', ['verify', '-CAfile', 'roots.pem', '-untrusted', 'others.pem', '-purpose', 'sslserver', 'leaf.pem'], {
    cwd: folder,
    encoding: 'utf8',
  });
}

test(
  'a laptop has a CA of its own, and the workload an SVID with its DNS names before its config',
  withScratch(async (folder) => {
    const data = join(folder, 'data');
    const node = await startNode({ data });
    assert.match(verify(folder, chainOf(node), rootsOf(node)), /leaf\.pem: OK/);
    const shown = execFileSync('openssl', ['x509', '-in', join(folder, 'leaf.pem'), '-noout', '-ext', 'subjectAltName'], {
      encoding: 'utf8',
    });
    assert.match(shown, /URI:spiffe:\/\/cluster\.local\/ns\/default\/sa\/web/);
    assert.match(shown, /DNS:web\.example\.com/);
    writeFileSync(join(folder, 'key.pem'), keyOf(node));
    const publicKey = (args: string[]): string => execFileSync('openssl', args, { cwd: folder, encoding: 'utf8' });
    assert.is(publicKey(['pkey', '-in', 'key.pem', '-pubout']), publicKey(['x509', '-in', 'leaf.pem', '-noout', '-pubkey']));
    const { certificates, ca, trust, problems } = node.identity.status();
    assert.equal(
      certificates.map(({ identity, state, proxies }) => [identity, state, proxies]),
      [[IDENTITY, 'valid', ['web.default']]],
    );
    assert.equal([ca, trust, problems], [`the CA in ${join(data, 'ca')}`, { trustDomain: 'cluster.local', sequence: 1 }, []]);
    const left = Date.parse(certificates[0]!.notAfter!) - Date.now();
    const renewal = Date.parse(certificates[0]!.nextRenewal) - Date.now();
    assert.ok(left > 23.9 * 3_600_000 && renewal > 0.48 * left && renewal < 0.52 * left, `${renewal} of ${left}`);
    for (const name of readdirSync(join(data, 'identity'))) assert.is(statSync(join(data, 'identity', name)).mode & 0o777, 0o600, name);
    node.identity.close();
  }),
);

test(
  'only what is named is issued',
  withScratch(async (folder) => {
    const data = join(folder, 'data');
    const node = await startNode({ data }, []);
    assert.not.ok(readdirSync(folder).includes('data') && readdirSync(data).includes('ca'));
    await node.name('file-root:system');
    assert.ok(readCertificates(node.secret('file-root:system')!.validationContext!.trustedCa!.inlineString!).length > 10);
    assert.is(node.secret('default'), undefined);
    node.identity.close();
  }),
);

test(
  'a restarted agent serves what it kept although the CA is gone',
  withScratch(async (folder) => {
    const data = join(folder, 'data');
    const before = await startNode({ data });
    const serial = serialOf(before);
    before.identity.close();
    renameSync(join(data, 'ca'), join(folder, 'elsewhere'));
    const missing = { directory: join(data, 'ca'), passphrase: undefined };
    const after = await startNode({ data, ca: missing });
    assert.is(serialOf(after), serial);
    assert.is(rootsOf(after), rootsOf(before));
    assert.equal(
      after.identity.status().certificates.map(({ state, failures }) => [state, failures]),
      [['valid', 0]],
    );
    after.identity.close();
  }),
);

test(
  'short lives are renewed in place, an absent CA shows as expiring and then expired, and is asked again',
  withScratch(async (folder) => {
    const data = join(folder, 'data');
    const node = await startNode({ data, lifeMs: 2000 });
    const first = serialOf(node);
    await until('renewed', () => serialOf(node) !== first);
    assert.match(verify(folder, chainOf(node), rootsOf(node)), /OK/);
    const [lines, seen] = [() => readFileSync(join(folder, 'ca-away', 'audit.jsonl'), 'utf8'), new Set<string>()];
    renameSync(join(data, 'ca'), join(folder, 'ca-away'));
    node.identity.close();
    const away = await startNode({ data, ca: { directory: join(data, 'ca'), passphrase: undefined }, lifeMs: 2000 });
    await until('expired', () => {
      for (const { state } of away.identity.status().certificates) seen.add(state);
      return seen.has('expired');
    });
    assert.ok(seen.has('expiring') || seen.has('renewing'), [...seen].join());
    const [status] = away.identity.status().certificates;
    assert.match(status!.lastError!.message, /there is no certificate authority in .*ca init/s);
    const issued = lines().split('\n').length;
    renameSync(join(folder, 'ca-away'), join(data, 'ca'));
    await until('back', () => away.identity.status().certificates[0]!.state === 'valid');
    assert.is(away.identity.status().certificates[0]!.lastError, undefined);
    const entries = readFileSync(join(data, 'ca', 'audit.jsonl'), 'utf8')
      .trim()
      .split('\n');
    assert.ok(entries.length >= issued);
    assert.ok((JSON.parse(entries.at(-1)!) as { replaces?: string }).replaces, 'a renewal names what it replaces');
    away.identity.close();
  }),
);

test(
  'clocks that jump are noticed within seconds; a CA whose clock is another one is not asked without end',
  withScratch(async (folder) => {
    const node = await startNode({ data: join(folder, 'data') });
    const realNow = Date.now;
    const status = () => node.identity.status().certificates[0]!;
    try {
      const first = serialOf(node);
      // Asleep for the most of its life.
      Date.now = () => realNow() + 13 * 3_600_000;
      await until('renewed', () => serialOf(node) !== first);
      await until('said', () => /by this machine’s clock/.test(status().lastError?.message ?? ''));
      Date.now = realNow;
      await until('well again', () => status().state === 'valid');
      const before = status().renewals;
      // Set back to before the certificate began.
      Date.now = () => realNow() - 3_600_000;
      await until('asked', () => status().renewals > before);
      assert.is(status().state, 'expired', 'not yet valid');
      assert.ok(status().renewals < before + 4, 'with a growing back-off');
    } finally {
      Date.now = realNow;
      node.identity.close();
    }
  }),
);

test(
  'the stages of a rotation know this agent: a new root is taken over, a tainted authority’s certificate renewed at once',
  withScratch(async (folder) => {
    const directory = join(folder, 'ca');
    const life = 100 * 86_400_000;
    await initCa(directory, {
      trustDomain: 'cluster.local',
      algorithm: 'ec-p256',
      rootLifeMs: life,
      intermediateLifeMs: life,
      passphrase: undefined,
    });
    const node = await startNode({ data: join(folder, 'data'), ca: { directory, passphrase: undefined } });
    const clear = async (): Promise<boolean> => (await rotationStatus(directory, new Date())).behind.length === 0;
    const first = serialOf(node);
    await rotate(directory, 'prepare', { force: false });
    assert.is(await clear(), false, 'the agent is behind');
    await until('both roots', () => readCertificates(rootsOf(node)).length === 2, 20_000);
    await until('reported', clear, 20_000);
    assert.is(serialOf(node), first);
    await rotate(directory, 'activate', { force: false });
    await rotate(directory, 'taint', { force: true });
    await until('renewed', () => serialOf(node) !== first, 20_000);
    assert.match(verify(folder, chainOf(node), rootsOf(node)), /OK/);
    await until('nobody has one of the old', clear, 20_000);
    await rotate(directory, 'revoke', { force: false });
    await until('one root', () => readCertificates(rootsOf(node)).length === 1, 20_000);
    assert.match(verify(folder, chainOf(node), rootsOf(node)), /OK/);
    node.identity.close();
  }),
);

test(
  'certificates in files are watched; a broken new one keeps the old one and is told without its content',
  withScratch(async (folder, write) => {
    const directory = join(folder, 'ca');
    const life = 86_400_000;
    await initCa(directory, {
      trustDomain: 'cluster.local',
      algorithm: 'ec-p256',
      rootLifeMs: life,
      intermediateLifeMs: life,
      passphrase: undefined,
    });
    const make = async () => {
      const options = {
        identity: 'default/gw',
        request: undefined,
        algorithm: 'ec-p256' as const,
        dnsNames: ['gw.example.com'],
        lifeMs: undefined,
        passphrase: undefined,
      };
      const { issued, key } = await issueLocally(directory, options);
      return { chain: issued.chain, key: key as string, roots: issued.roots };
    };
    const [one, two] = [await make(), await make()];
    const [cert, key] = [write('cert.pem', one.chain), write('key.pem', one.key)];
    const name = `file-cert:${cert}~${key}`;
    const node = await startNode({ data: join(folder, 'data') }, [name, `file-root:${join(folder, 'none.pem')}`]);
    const chain = (): string => node.secret(name)?.tlsCertificate?.certificateChain?.inlineString ?? '';
    assert.is(chain(), one.chain);
    assert.match(JSON.stringify(node.identity.status().problems), /none\.pem cannot be read: it is not there/);
    write('key.pem', two.key);
    await until('told', () => node.identity.status().problems.some((p) => p.name === name && p.serves && /not that of/.test(p.message)));
    assert.is(chain(), one.chain);
    write('cert.pem', two.chain);
    await until('reloaded', () => chain() === two.chain);
    await until('clear', () => !node.identity.status().problems.some((p) => p.name === name));
    assert.not.match(JSON.stringify(node.identity.status()), /PRIVATE KEY/);
    rmSync(cert);
    await until('gone, and told', () => node.identity.status().problems.some((p) => p.name === name && p.serves));
    assert.is(chain(), two.chain);
    node.identity.close();
  }),
);

test(
  'Secrets of the configuration: both spellings of the keys, -cacert first, the proxy’s namespace alone',
  withScratch(async (folder) => {
    const directory = join(folder, 'ca');
    const life = 86_400_000;
    await initCa(directory, {
      trustDomain: 'cluster.local',
      algorithm: 'ec-p256',
      rootLifeMs: life,
      intermediateLifeMs: life,
      passphrase: undefined,
    });
    const { issued, key } = await issueLocally(directory, {
      identity: 'default/gw',
      request: undefined,
      algorithm: 'ec-p256',
      dnsNames: [],
      lifeMs: undefined,
      passphrase: undefined,
    });
    const secret = (name: string, data: Record<string, string>, namespace = 'default'): string =>
      `apiVersion: v1\nkind: Secret\nmetadata: { name: ${name}, namespace: ${namespace} }\ndata: ${JSON.stringify(
        Object.fromEntries(Object.entries(data).map(([k, v]) => [k, Buffer.from(v).toString('base64')])),
      )}\n---\n`;
    const pair = { 'tls.crt': issued.chain, 'tls.key': key as string };
    const yaml =
      secret('tls', pair) +
      secret('generic', { cert: issued.chain, key: key as string, cacert: issued.roots }) +
      secret('tls-cacert', { 'ca.crt': issued.roots }) +
      secret('other', pair, 'other') +
      secret('broken', { ...pair, 'tls.key': 'c2VjcmV0' });
    const bundle = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: bundle, namespace: trust }\ndata: ${JSON.stringify({ 'ca.crt': issued.roots })}\n---\n`;
    const names = ['tls', 'tls-cacert', 'generic', 'generic-cacert', 'other', 'other/other', 'broken', 'none', 'none-cacert'].map(
      (n) => `kubernetes://${n}`,
    );
    const node = await startNode({ data: join(folder, 'data'), yaml: yaml + bundle }, [...names, 'configmap://trust/bundle']);
    const told = node.engine.secrets.get(node.id)!.map((s) => s.name);
    assert.equal(told.sort(), [
      'configmap://trust/bundle',
      'kubernetes://generic',
      'kubernetes://generic-cacert',
      'kubernetes://tls',
      'kubernetes://tls-cacert',
    ]);
    assert.is(node.secret('kubernetes://generic-cacert')!.validationContext!.trustedCa!.inlineString, issued.roots);
    const problems = Object.fromEntries(node.identity.status().problems.map((p) => [p.name.slice(13), p.message]));
    assert.match(problems['none']!, /there is no Secret default\/none$/);
    assert.match(problems['none-cacert']!, /there is no Secret default\/none-cacert or default\/none/);
    assert.match(problems['other']!, /there is no Secret default\/other/);
    assert.match(problems['other/other']!, /of the namespace other are not for proxies of default/);
    assert.match(problems['broken']!, /Secret default\/broken: /);
    assert.not.match(JSON.stringify(problems), /c2VjcmV0|secret$/);
    node.identity.close();
  }),
);

test.run();
