/** Sets of keys (RFC 7517) that tokens are checked with. */

/**
 * A key whose private half nobody holds: its public half is the SHA-256 of "fairlead: nobody holds the private key of this". Rules that
 * cannot be carried out get it, so that every token of theirs is refused, as Istio does.
 */
export const NOBODYS_KEYS = JSON.stringify({
  keys: [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', kid: 'nobody', x: 'bL2P13MzSEfqjgGgl-znQD5c3wfd9j8NaAghF5sdw8A' }],
});

interface Key {
  kty?: unknown;
  alg?: unknown;
  k?: unknown;
}

/** Envoy: which algorithms go with which type of key; a key without one may be used with any of them. */
const ALGORITHMS: Readonly<Record<string, RegExp>> = {
  RSA: /^(?:RS|PS)(?:256|384|512)$/,
  EC: /^ES(?:256|384|512)$/,
  OKP: /^EdDSA$/,
  oct: /^HS(?:256|384|512)$/,
};

function isUsable(key: Key): boolean {
  const { kty, alg } = key;
  if (typeof kty !== 'string' || !Object.hasOwn(ALGORITHMS, kty)) return false;
  if (alg !== undefined && (typeof alg !== 'string' || !ALGORITHMS[kty]!.test(alg))) return false;
  if (kty === 'oct') return typeof key.k === 'string' && key.k !== '';
  try {
    process.getBuiltinModule('node:crypto').createPublicKey({ key: key as { kty: string }, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}

/** True when there is a key in the set that tokens can be checked with. Envoy refuses a listener with a set that has none. */
export function hasUsableKey(jwks: string): boolean {
  try {
    const { keys } = JSON.parse(jwks) as { keys?: unknown };
    return Array.isArray(keys) && keys.some((key) => typeof key === 'object' && key !== null && isUsable(key as Key));
  } catch {
    return false;
  }
}
