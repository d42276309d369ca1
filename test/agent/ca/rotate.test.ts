/** Rotation: the gates, as agents come along; and a process that is killed at any moment. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bundleOf, openSigner } from '../../../agent/ca/authorities.ts';
import { autoRotate } from '../../../agent/ca/auto-rotate.ts';
import { readState } from '../../../agent/ca/directory.ts';
import { issueLocally } from '../../../agent/ca/local-issue.ts';
import { readAgents } from '../../../agent/ca/registry.ts';
import { type RotationStep, rotate, rotationStatus } from '../../../agent/ca/rotate.ts';
import { createToken } from '../../../agent/ca/tokens.ts';
import { FairleadError } from '../../../src/errors.ts';
import { readCertificates } from '../../../src/pki/certificate.ts';
import { verifyChain } from '../../../src/pki/verify.ts';
import { withScratch } from '../../support/scratch.ts';
import { call, newRequest, served, TRUST } from './served.ts';

const WEB = `${TRUST}/ns/shop/sa/web`;
const go = (directory: string, step: RotationStep, force = false) => rotate(directory, step, { force });

async function waits(work: Promise<unknown>, pattern: RegExp): Promise<void> {
  const error = await work.then(
    () => undefined,
    (e: FairleadError) => e,
  );
  assert.instance(error, FairleadError);
  assert.is(error!.code, 'E_CA_WAITING');
  assert.match(error!.message, pattern);
}

async function joined(directory: string, port: number, identity: string) {
  const { token } = await createToken(directory, identity, 60_000);
  const made = await newRequest();
  const body = { csr: made.csr, ttlSeconds: 3600 };
  return { ...made, ...(await call({ port, path: '/v1/sign', body, headers: { authorization: `Join ${token}` } })).body };
}

async function reported(directory: string, serial: string): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!readAgents(directory).some(({ serials }) => serials.includes(serial))) {
    assert.ok(Date.now() < deadline, 'the report is written');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const isValid = (chain: string, roots: string): boolean => {
  const [leaf, ...others] = readCertificates(chain);
  return verifyChain(leaf!, others, readCertificates(roots), { at: new Date(), purpose: 'svid', name: WEB }).faults.length === 0;
};

test(
  'each stage waits for who is behind: bundle seen, then renewed, then nobody left',
  withScratch((folder) =>
    served(folder, async ({ directory, server: { port } }) => {
      const first = await joined(directory, port, WEB);
      const { csr, key } = first;
      const old = readState(directory).authorities[0]!.id;
      await waits(go(directory, 'activate'), /not what comes next: prepare is/);
      const { authority } = await go(directory, 'prepare');
      await waits(go(directory, 'prepare'), /goes on already/);
      await waits(
        go(directory, 'activate'),
        /too early to activate: .*trust bundle with the new root; behind: .*sa\/web \(1 certificates\)/,
      );
      assert.is((await call({ port, path: '/v1/bundle', method: 'GET' })).body['keys'] !== undefined, true);

      // The agent takes the new bundle, which the report gives it, and says so.
      const mine = { cert: first.chain, key, roots: first.roots };
      const report = (sequence: number, serials: string[]) => call({ port, path: '/v1/report', body: { sequence, serials }, ...mine });
      const told = await report(1, [first.serial]);
      assert.is(told.body['sequence'], 2);
      assert.is(readCertificates(told.body.roots).length, 2);
      const stranger = await joined(directory, port, `${TRUST}/ns/shop/sa/other`);
      await call({
        port,
        path: '/v1/report',
        body: { sequence: 2, serials: [first.serial, stranger.serial] },
        cert: stranger.chain,
        key: stranger.key,
      });
      await reported(directory, stranger.serial);
      const { behind } = await rotationStatus(directory, new Date());
      assert.equal(
        behind.map(({ identity }) => identity),
        [WEB],
        'nobody speaks for the certificates of others',
      );
      await report(2, [first.serial]);
      const deadline = Date.now() + 5000;
      while ((await rotationStatus(directory, new Date())).behind.length > 0 && Date.now() < deadline)
        await new Promise((r) => setTimeout(r, 20));
      await go(directory, 'activate');
      await call({ port, path: '/v1/sign', body: { csr: stranger.csr }, cert: stranger.chain, key: stranger.key });
      await waits(go(directory, 'taint'), /behind: .*sa\/web \(1 certificates\)/);

      const second = (await call({ port, path: '/v1/sign', body: { csr }, ...mine, roots: told.body.roots })).body;
      assert.ok(isValid(second.chain, told.body.roots), 'signed by the new');
      assert.not(isValid(second.chain, first.roots), 'and not by the old');
      assert.is(second['authority'], authority);
      await go(directory, 'taint');
      const tainted = await call({ port, path: '/v1/report', body: { sequence: 2, serials: [] }, cert: second.chain, key });
      assert.equal(tainted.body['renew'], [old]);
      await go(directory, 'revoke');
      const bundle = (await call({ port, path: '/v1/bundle', method: 'GET', roots: second.roots })).body;
      assert.is((bundle['keys'] as unknown[]).length, 1);
      assert.is(bundle['spiffe_sequence'], 3);
      assert.equal(readdirSync(join(directory, 'keys')).sort(), [`${authority}-root.pem`, `${authority}-signer.pem`].sort());
      const late = await call({ port, path: '/v1/sign', body: { csr }, cert: first.chain, key });
      assert.is(late.status, 401, 'a certificate under the revoked root is refused');
      assert.is((await rotationStatus(directory, new Date())).next, 'prepare');
    }),
  ),
);

test(
  'force passes over who is behind and writes it down; an intermediate alone leaves the trust bundle as it is; auto does the rest',
  withScratch((folder) =>
    served(folder, async ({ directory }) => {
      const ask = { request: undefined, algorithm: 'ec-p256', dnsNames: [], passphrase: undefined } as const;
      const { issued } = await issueLocally(directory, { ...ask, identity: WEB, lifeMs: 3_600_000 });
      await rotate(directory, 'prepare', { force: false, intermediateOnly: true });
      assert.is(readState(directory).sequence, 1);
      await go(directory, 'activate');
      await waits(go(directory, 'taint'), /behind/);
      const { passedOver } = await go(directory, 'taint', true);
      assert.equal(
        passedOver.map(({ serial }) => serial),
        [issued.serial],
      );
      await waits(go(directory, 'revoke'), /behind/);
      await waits(
        autoRotate(directory, { deadlineMs: 50, everyMs: 20, done: () => undefined, waiting: () => undefined }),
        /revoke still waits/,
      );
      const renewed = await issueLocally(directory, { ...ask, identity: WEB, lifeMs: undefined, replaces: issued.serial });
      const steps = await autoRotate(directory, { deadlineMs: 5000, everyMs: 20, done: () => undefined, waiting: () => undefined });
      assert.equal(
        steps.map(({ step }) => step),
        ['revoke'],
      );
      assert.is(readState(directory).sequence, 1);
      assert.ok(isValid(renewed.issued.chain, issued.roots));
    }),
  ),
);

test(
  'killed at any moment, the CA is in the stage before or the stage after, and signs',
  withScratch((folder) =>
    served(folder, async ({ directory, server }) => {
      await server.close();
      const loop = fileURLToPath(new URL('./rotate-for-ever.ts', import.meta.url));
      const stages = new Set<string>();
      // A busy machine needs longer until there is something to be killed in.
      for (let i = 0; i < 25 || (stages.size === 1 && i < 100); i++) {
        const child = spawn(process.execPath, [loop, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
        await new Promise((resolve) => child.stdout.once('data', resolve));
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 60 * (1 + i / 5)));
        child.kill('SIGKILL');
        await new Promise((resolve) => child.once('exit', resolve));
        const state = readState(directory);
        stages.add(state.authorities.map(({ stage }) => stage).join());
        for (const { rootKey, signerKey } of state.authorities)
          for (const file of [rootKey as string, signerKey]) assert.ok(existsSync(join(directory, 'keys', file)), file);
        const { issued } = await issueLocally(directory, {
          identity: WEB,
          request: undefined,
          algorithm: 'ec-p256',
          dnsNames: [],
          // Times of certificates are whole seconds: one of a second may be over at once.
          lifeMs: 10_000,
          passphrase: undefined,
        });
        assert.ok(
          isValid(
            issued.chain,
            bundleOf(state)
              .roots.map(({ pem }) => pem)
              .join(''),
          ),
        );
        assert.ok(openSigner(directory, state, undefined));
      }
      assert.ok(stages.size > 1, [...stages].join(' | '));
      // Whatever was left, a rotation can be brought to its end, and leaves the keys of one authority.
      for (
        let status = await rotationStatus(directory, new Date());
        status.next !== 'prepare';
        status = await rotationStatus(directory, new Date())
      )
        await go(directory, status.next as RotationStep, true);
      await go(directory, 'prepare');
      assert.is(readdirSync(join(directory, 'keys')).length, 4);
    }),
  ),
);

test.run();
