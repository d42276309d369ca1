/** An agent whose CA is served elsewhere: joining, renewing, an outage, a reboot without a CA, a rotation. */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { initCa } from '../../../agent/ca/init.ts';
import { rotate, rotationStatus } from '../../../agent/ca/rotate.ts';
import { type CaServer, serveCa } from '../../../agent/ca/serve.ts';
import { createToken } from '../../../agent/ca/tokens.ts';
import { silentLog } from '../../../agent/log.ts';
import { readCertificates } from '../../../src/pki/certificate.ts';
import { until } from '../../support/http.ts';
import { withScratch } from '../../support/scratch.ts';
import { type Node, startNode } from './node.ts';

const NODE = 'spiffe://cluster.local/fairlead/node/n1';
const WEB = 'spiffe://cluster.local/ns/default/sa/web';
const DAY = 86_400_000;

interface Bench {
  ca: string;
  data: string;
  /** Serves at the same port each time. */
  serve(): Promise<CaServer>;
  token(lifeMs?: number): Promise<string>;
  /** The file that the agent reads a token from. */
  tokenFile: string;
  start(lifeMs?: number): Promise<Node>;
  policy(text: string): void;
}

const rule = (extra = ''): string =>
  `{ callers: ["spiffe://cluster.local/fairlead/node/*"], identities: ["spiffe://cluster.local/ns/*/sa/*"], dnsNames: ["*.example.com"]${extra} }`;

const withCa = (run: (bench: Bench) => Promise<void>) =>
  withScratch(async (folder) => {
    const [ca, data] = [join(folder, 'served'), join(folder, 'data')];
    const life = { rootLifeMs: 100 * DAY, intermediateLifeMs: 50 * DAY };
    await initCa(ca, { trustDomain: 'cluster.local', algorithm: 'ec-p256', ...life, passphrase: undefined });
    const { authorities } = JSON.parse(readFileSync(join(ca, 'state.json'), 'utf8')) as { authorities: { root: string }[] };
    const [rootsFile, tokenFile] = [join(folder, 'roots.pem'), join(folder, 'token')];
    writeFileSync(rootsFile, authorities[0]!.root);
    let port = 0;
    const closers: (() => unknown)[] = [];
    const policy = (text: string): void => writeFileSync(join(ca, 'policy.yaml'), text);
    policy(`allow: [${rule()}]\n`);
    try {
      await run({
        ca,
        data,
        policy,
        tokenFile,
        async serve() {
          const server = await serveCa(ca, { host: '127.0.0.1', port, names: [], passphrase: undefined, log: silentLog });
          port = server.port;
          closers.push(() => server.close());
          return server;
        },
        async token(lifeMs = 60_000) {
          const { token } = await createToken(ca, NODE, lifeMs);
          writeFileSync(tokenFile, `${token}\n`);
          return token;
        },
        async start(lifeMs) {
          const address = `127.0.0.1:${port}`;
          const node = await startNode({ data, ca: { address, rootsFile, tokenFile }, ...(lifeMs === undefined ? {} : { lifeMs }) });
          closers.push(() => node.identity.close());
          return node;
        },
      });
    } finally {
      for (const close of closers.reverse()) await close();
    }
  });

const serialOf = (node: Node): string =>
  readCertificates(node.secret('default')?.tlsCertificate?.certificateChain?.inlineString ?? '')[0]!.serial;
const rootsOf = (node: Node): number => readCertificates(node.secret('ROOTCA')?.validationContext?.trustedCa?.inlineString ?? '').length;
const issued = (ca: string): Record<string, unknown>[] =>
  readFileSync(join(ca, 'audit.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ event }) => event === 'issued');

test(
  'joins with a token, asks by policy with its own certificate, and needs neither token nor CA after a reboot',
  withCa(async ({ ca, data, serve, token, start }) => {
    const server = await serve();
    await token();
    const node = await start();
    const { agent, certificates, trust } = node.identity.status();
    assert.equal([agent?.identity, trust?.sequence, certificates[0]?.state], [NODE, 1, 'valid']);
    const [join1, web] = issued(ca).filter(({ identity }) => identity === NODE || identity === WEB);
    assert.equal([join1?.['by'], join1?.['identity']], ['token', NODE]);
    assert.equal([web?.['by'], web?.['caller'], web?.['dnsNames']], ['certificate', NODE, ['web.example.com']]);
    assert.is(statSync(join(data, 'identity', 'node.pem')).mode & 0o777, 0o600);
    node.identity.close();
    await server.close();

    const again = await start();
    assert.is(serialOf(again), serialOf(node));
    assert.equal(
      again.identity.status().certificates.map(({ state, failures }) => [state, failures]),
      [['valid', 0]],
    );
    again.identity.close();

    // Without what it kept, the used token is told as such.
    await serve();
    renameSync(join(data, 'identity'), join(data, 'gone'));
    const empty = await start();
    const [missing] = empty.identity.status().certificates;
    assert.is(missing?.state, 'missing');
    assert.match(missing!.lastError!.message, /token is unknown, used or expired/);
    await token();
    await until('joined', () => empty.identity.status().certificates[0]?.state === 'valid');
  }),
);

test(
  'a CA that is killed for longer than certificates live: expired, and back by a new token, without a restart',
  withCa(async ({ serve, token, start, policy, ca }) => {
    policy(`ttl: { default: 2s, max: 2s }\nallow: [${rule()}]\n`);
    const server = await serve();
    await token();
    const node = await start(2000);
    const first = serialOf(node);
    await until('renewed', () => serialOf(node) !== first);
    await until('its own as well', () => issued(ca).some(({ identity, by }) => identity === NODE && by === 'certificate'));
    await server.close();
    await until('expired', () => node.identity.status().certificates[0]?.state === 'expired');
    assert.match(node.identity.status().certificates[0]!.lastError!.message, /connection is refused|cannot be asked/);
    await serve();
    await until('told that it must join', () => /join token/.test(node.identity.status().certificates[0]?.lastError?.message ?? ''));
    await token();
    await until('valid again', () => node.identity.status().certificates[0]?.state === 'valid', 20_000);
    assert.is(issued(ca).filter(({ by }) => by === 'token').length, 2);
  }),
);

test(
  'a refusal of the policy is told, and asked again',
  withCa(async ({ serve, token, start, policy }) => {
    policy('allow: []\n');
    await serve();
    await token();
    const node = await start();
    assert.match(node.identity.status().certificates[0]!.lastError!.message, /no rule of the policy allows it/);
    assert.is(node.secret('default'), undefined);
    policy(`allow: [${rule()}]\n`);
    await until('allowed', () => node.secret('default') !== undefined, 20_000);
  }),
);

test(
  'a rotation of the served CA waits for this agent and for nobody longer than it takes',
  withCa(async ({ ca, serve, token, start }) => {
    await serve();
    await token();
    const node = await start();
    const clear = async (): Promise<boolean> => (await rotationStatus(ca, new Date())).behind.length === 0;
    const first = serialOf(node);
    await rotate(ca, 'prepare', { force: false });
    await until('both roots', () => rootsOf(node) === 2, 30_000);
    await until('nobody behind', clear, 30_000);
    await rotate(ca, 'activate', { force: false });
    await rotate(ca, 'taint', { force: true });
    await until('renewed', () => serialOf(node) !== first, 30_000);
    await until('nobody behind, the agent’s own certificate included', clear, 30_000);
    await rotate(ca, 'revoke', { force: false });
    await until('one root', () => rootsOf(node) === 1, 30_000);
    const serial = serialOf(node);
    node.identity.close();
    // It still finds its CA after a restart, by the roots that it kept.
    rmSync(join(ca, 'policy.yaml'));
    const again = await start();
    assert.is(serialOf(again), serial);
  }),
);

test(
  'joins with a JSON Web Token of an issuer that the policy names, and with no other',
  withCa(async ({ ca, serve, start, policy, tokenFile }) => {
    const [ours, strangers] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
    writeFileSync(join(ca, 'jwks.json'), JSON.stringify({ keys: [{ ...(await exportJWK(ours.publicKey)), kid: 'k1', alg: 'ES256' }] }));
    const jwt = '{ issuer: https://issuer.test, audiences: [fairlead-ca], jwks: jwks.json, identity: spiffe }';
    policy(`allow: [${rule()}]\njwt: [${jwt}]\n`);
    const write = async (key: typeof ours.privateKey, audience = 'fairlead-ca', expires = '1h'): Promise<void> => {
      const token = new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).setIssuer('https://issuer.test').setSubject(NODE);
      writeFileSync(tokenFile, await token.setAudience(audience).setExpirationTime(expires).sign(key));
    };
    await serve();
    await write(strangers.privateKey);
    const node = await start();
    const state = (): string | undefined => node.identity.status().certificates[0]?.state;
    const refused = (): string => node.identity.status().certificates[0]?.lastError?.message ?? '';
    assert.is(state(), 'missing');
    assert.match(refused(), /./);
    for (const [audience, expires] of [
      ['somebody-else', '1h'],
      ['fairlead-ca', '-1h'],
    ] as const) {
      await write(ours.privateKey, audience, expires);
      const { failures } = node.identity.status().certificates[0]!;
      await until('it asked again', () => node.identity.status().certificates[0]!.failures > failures, 60_000);
      assert.is(state(), 'missing', audience);
    }
    await write(ours.privateKey);
    await until('it joins', () => state() === 'valid', 60_000);
    assert.is(node.identity.status().agent?.identity, NODE);
    assert.equal(
      issued(ca)
        .filter(({ by }) => by !== 'local')
        .map(({ by, identity }) => [by, identity]),
      [
        ['jwt', NODE],
        ['certificate', WEB],
      ],
    );
  }),
);

test.run();
