import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Authority, authorityOf, createRoot, DAY_MS, issueSvid, signIntermediate } from '../../src/pki/authority.ts';
import { readCertificate } from '../../src/pki/certificate.ts';
import { generateKey, publicKeyInfo } from '../../src/pki/keys.ts';
import { PkiError } from '../../src/pki/pki-error.ts';
import { verifyChain } from '../../src/pki/verify.ts';

const now = new Date();
const trustDomain = 'mesh.example';
const root = await createRoot({ trustDomain, algorithm: 'ec-p256', subject: { organization: trustDomain }, now, lifeMs: 10 * DAY_MS });
const key = await generateKey('ec-p256');
const intermediate = signIntermediate(root, {
  trustDomain,
  subject: { commonName: 'signer' },
  publicKey: publicKeyInfo(key),
  now,
  lifeMs: 2 * DAY_MS,
});
const authority: Authority = authorityOf(trustDomain, { certificate: intermediate, key }, [], root.certificate);
const workload = await generateKey('ec-p256');
const request = { identity: `spiffe://${trustDomain}/ns/a/sa/b`, publicKey: publicKeyInfo(workload), rsa: false, lifeMs: DAY_MS, now };

test('what it issues is an SVID under its root, back-dated by two minutes', () => {
  const leaf = readCertificate(issueSvid(authority, request).der);
  assert.equal(verifyChain(leaf, authority.chain, [root.certificate], { at: now, purpose: 'svid', name: request.identity }).faults, []);
  assert.ok(Math.abs(now.getTime() - leaf.notBefore.getTime() - 120_000) < 1001);
  assert.match(leaf.serial, /^[0-9a-f]{24,32}$/);
});

test('nothing outlives the authority', () => {
  const leaf = readCertificate(issueSvid(authority, { ...request, lifeMs: 100 * DAY_MS }).der);
  assert.is(leaf.notAfter.getTime(), intermediate.notAfter.getTime());
});

test('identities of others are refused', () => {
  for (const identity of ['spiffe://other.example/ns/a/sa/b', `spiffe://${trustDomain}`, 'web'])
    assert.throws(
      () => issueSvid(authority, { ...request, identity }),
      (error: unknown) => error instanceof PkiError && error.code === 'identity-invalid',
    );
});

test('a trust domain that is none is refused', async () => {
  const made = await createRoot({ trustDomain: 'Not One', algorithm: 'ec-p256', subject: {}, now, lifeMs: DAY_MS }).catch(
    (error: unknown) => error,
  );
  assert.ok(made instanceof PkiError && made.code === 'identity-invalid');
});

test.run();
