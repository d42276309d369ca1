import { generateKeyPairSync } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hasUsableKey, NOBODYS_KEYS } from '../../../src/envoy/security/jwks.ts';

const jwk = (key: ReturnType<typeof generateKeyPairSync>['publicKey'], more: object = {}): object => ({
  ...key.export({ format: 'jwk' }),
  ...more,
});
const rsa = jwk(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey);
const ec = jwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
const ed = jwk(generateKeyPairSync('ed25519').publicKey);
const set = (...keys: object[]): string => JSON.stringify({ keys });

for (const [what, text, expected] of [
  ['RSA', set(rsa), true],
  ['RSA with PS256', set({ ...rsa, alg: 'PS256' }), true],
  ['P-256', set({ ...ec, alg: 'ES256' }), true],
  ['Ed25519', set(ed), true],
  ['one of two', set({ kty: 'RSA' }, ec), true],
  ['a shared secret', set({ kty: 'oct', k: 'c2VjcmV0' }), true],
  ['an algorithm of another type', set({ ...ec, alg: 'RS256' }), false],
  ['RSA without a modulus', set({ kty: 'RSA', e: 'AQAB' }), false],
  ['a point that is on no curve', set({ ...ec, x: 'AAAA' }), false],
  ['an unknown type', set({ kty: 'XYZ' }), false],
  ['a type that objects have', set({ kty: 'constructor' }), false],
  ['no keys', set(), false],
  ['null', 'null', false],
  ['no JSON', 'keys', false],
] as const) {
  test(`${what}: ${expected ? 'tokens can be checked' : 'no key'}`, () => assert.is(hasUsableKey(text), expected));
}

test('the key that nobody holds is one that engines take', () => assert.ok(hasUsableKey(NOBODYS_KEYS)));

test.run();
