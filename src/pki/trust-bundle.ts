/** Trust bundles in PEM and as SPIFFE's JWKS: https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE_Trust_Domain_and_Bundle.md, 4. */
import { type Certificate, readCertificate, readCertificates } from './certificate.ts';
import { PkiError } from './pki-error.ts';

/** What a trust domain's peers trust. */
export interface TrustBundle {
  trustDomain: string;
  /** Roots of X.509-SVIDs. */
  roots: readonly Certificate[];
  /** Public keys of JWT-SVIDs, as JWKs with `kid`. */
  jwtKeys: readonly JsonWebKey[];
  /** Grows with each change. */
  sequence: number;
  /** Seconds after which peers should ask again. */
  refreshHint: number;
}

export interface JsonWebKey {
  kty: string;
  kid?: string;
  use?: string;
  x5c?: string[];
  [field: string]: unknown;
}

export function bundleToPem({ roots }: Pick<TrustBundle, 'roots'>): string {
  return roots.map((root) => root.pem).join('');
}

/** The document that a bundle endpoint serves. */
export function bundleToJwks({ roots, jwtKeys, sequence, refreshHint }: TrustBundle): object {
  const keys = [
    ...roots.map((root) => ({ use: 'x509-svid', ...root.publicKey.export({ format: 'jwk' }), x5c: [root.der.toString('base64')] })),
    ...jwtKeys.map((key) => ({ ...key, use: 'jwt-svid' })),
  ];
  return { keys, spiffe_sequence: sequence, spiffe_refresh_hint: refreshHint };
}

/** Reads what a bundle endpoint serves, or PEM. Keys of other uses are left out (4.2.2). Throws PkiError `bundle-unreadable`. */
export function readBundle(text: string, trustDomain: string): TrustBundle {
  if (text.includes('-----BEGIN')) return { trustDomain, roots: readCertificates(text), jwtKeys: [], sequence: 0, refreshHint: 0 };
  const document = parseJson(text);
  const { keys, spiffe_sequence: sequence, spiffe_refresh_hint: refreshHint } = document;
  if (!Array.isArray(keys)) throw unreadable('it has no list `keys`');
  const used = keys.filter((key): key is JsonWebKey => typeof key === 'object' && key !== null && typeof key.kty === 'string');
  const roots = used.filter((key) => key.use === 'x509-svid').map(rootOf);
  const jwtKeys = used.filter((key) => key.use === 'jwt-svid' && typeof key.kid === 'string' && key.kid !== '');
  return { trustDomain, roots, jwtKeys, sequence: natural(sequence), refreshHint: natural(refreshHint) };
}

const natural = (value: unknown): number => (Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0);

function parseJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {}
  throw unreadable('it is neither PEM nor a JSON object');
}

/** 4.2.1: exactly one certificate in x5c. */
function rootOf({ x5c }: JsonWebKey): Certificate {
  if (!Array.isArray(x5c) || x5c.length !== 1 || typeof x5c[0] !== 'string')
    throw unreadable('an x509-svid key must have one certificate in x5c');
  return readCertificate(Buffer.from(x5c[0], 'base64'));
}

const unreadable = (why: string): PkiError => new PkiError('bundle-unreadable', `this is not a trust bundle: ${why}`);
