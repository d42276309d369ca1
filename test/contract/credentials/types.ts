/** Certificates, keys and tokens as cases declare them. */

/** A certificate with its key; without names it is an SVID of nobody. */
export interface CertificateSpec {
  /** Who signs: `mesh` (the default) is what workloads trust, `self` the certificate's own key; any other name is a root that is made for it. */
  issuer?: string;
  uri?: string | readonly string[];
  dns?: readonly string[];
  ip?: readonly string[];
  /** The subject's common name. */
  name?: string;
  /** When it is valid; `now` when nothing is said. */
  valid?: 'now' | 'past' | 'future';
  key?: 'ec-p256' | 'ec-p384' | 'rsa-2048' | 'rsa-1024';
  /** Puts an intermediate between it and its root: sent along, or left out. */
  intermediate?: 'sent' | 'missing';
}

/** A JSON Web Token. */
export interface TokenSpec {
  /** One of the case's `keys`. */
  key: string;
  claims: Record<string, unknown>;
  /** Default: that of the key. `none` signs nothing; `HS256` takes the public key's PEM for a secret. */
  alg?: string;
  /** The header's key id. Default: the key's name. null: none. */
  kid?: string | null;
  /** Seconds from now; 3600 when undefined; null: the token does not expire. */
  expires?: number | null;
  /** Seconds from now. */
  notBefore?: number;
  /** `claims`: changed after it was signed. `signature`: cut short. */
  tampered?: 'claims' | 'signature';
}

/** Files and text of one certificate. */
export interface KeyFiles {
  /** Chain, leaf first, without the root. */
  chain: string;
  key: string;
  chainFile: string;
  keyFile: string;
  /** SHA-256 of the leaf, hex. */
  hash: string;
  /** SHA-256 of its public key, base64. */
  spki: string;
}
