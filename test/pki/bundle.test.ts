import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { jwtKeyOf, signJwtSvid, verifyJwtSvid } from '../../src/pki/jwt-svid.ts';
import { generateKey, KEY_ALGORITHMS } from '../../src/pki/keys.ts';
import { PkiError } from '../../src/pki/pki-error.ts';
import { bundleToJwks, bundleToPem, readBundle, type TrustBundle } from '../../src/pki/trust-bundle.ts';
import { makeRoot, WORKLOAD } from './authority.ts';

const isError = (code: string) => (error: unknown) => error instanceof PkiError && error.code === code;

test('a bundle survives JWKS and PEM', async () => {
  const roots = [(await makeRoot()).certificate, (await makeRoot({}, 'rsa-2048')).certificate];
  const jwtKeys = [await jwtKeyOf(await generateKey('ec-p256'))];
  const bundle: TrustBundle = { trustDomain: 'cluster.local', roots, jwtKeys, sequence: 7, refreshHint: 300 };
  const read = readBundle(JSON.stringify(bundleToJwks(bundle)), 'cluster.local');
  assert.equal(
    read.roots.map((r) => r.fingerprint),
    roots.map((r) => r.fingerprint),
  );
  assert.equal(read.jwtKeys, jwtKeys);
  assert.is(read.sequence, 7);
  assert.is(read.refreshHint, 300);
  assert.is(readBundle(bundleToPem(bundle), 'cluster.local').roots.length, 2);
});

test('keys of unknown use are left out, broken ones refused', () => {
  assert.is(readBundle('{"keys":[{"kty":"EC","use":"other"},7,null]}', 'td').roots.length, 0);
  for (const text of ['', '[]', '{}', '{"keys":3}', '{"keys":[{"kty":"EC","use":"x509-svid","x5c":[]}]}'])
    assert.throws(() => readBundle(text, 'td'), isError('bundle-unreadable'), text);
});

for (const algorithm of KEY_ALGORITHMS.filter((a) => a !== 'rsa-4096')) {
  test(`a token of ${algorithm} is valid for its audience and time, and no other`, async () => {
    const key = await generateKey(algorithm);
    const issuedAt = new Date();
    const expires = new Date(issuedAt.getTime() + 60_000);
    const token = await signJwtSvid({ subject: WORKLOAD, audience: ['ratings', 'stock'], issuedAt, expires }, key);
    const keys = [await jwtKeyOf(await generateKey('ec-p256')), await jwtKeyOf(key)];
    assert.is(await verifyJwtSvid(token, keys, 'stock', issuedAt), WORKLOAD);
    const refused = async (work: Promise<string>): Promise<void> => {
      const error: unknown = await work.then(
        () => undefined,
        (e) => e,
      );
      assert.ok(isError('token-invalid')(error));
      assert.not((error as Error).message.includes(token));
    };
    await refused(verifyJwtSvid(token, keys, 'other', issuedAt));
    await refused(verifyJwtSvid(token, keys, 'stock', new Date(expires.getTime() + 1000)));
    await refused(verifyJwtSvid(token, keys.slice(0, 1), 'stock', issuedAt));
    await refused(verifyJwtSvid(`${token.slice(0, -2)}AA`, keys, 'stock', issuedAt));
    await refused(verifyJwtSvid('a.b.c', keys, 'stock', issuedAt));
  });
}

test.run();
