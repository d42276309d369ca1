/** The authorities of a state, with their certificates read. */
import { FairleadError } from '../../src/errors.ts';
import { type Authority, authorityOf } from '../../src/pki/authority.ts';
import { type Certificate, readCertificates } from '../../src/pki/certificate.ts';
import { publicKeyInfo } from '../../src/pki/keys.ts';
import { PkiError } from '../../src/pki/pki-error.ts';
import type { TrustBundle } from '../../src/pki/trust-bundle.ts';
import { loadKey } from './keys.ts';
import { type AuthorityRecord, activeOf, type CaState } from './state.ts';

/** Seconds after which peers ask for the trust bundle again. */
const REFRESH_HINT = 300;

export interface AuthorityCertificates {
  root: Certificate;
  /** From the signer up, without the root. */
  chain: readonly Certificate[];
}

/** undefined while it is only requested. Throws E_CA_DIRECTORY. */
export function certificatesOf({ id, root, chain }: AuthorityRecord): AuthorityCertificates | undefined {
  if (root === undefined) return undefined;
  try {
    return { root: readCertificates(root)[0] as Certificate, chain: chain.flatMap(readCertificates) };
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    throw new FairleadError('E_CA_DIRECTORY', `the certificates of the authority ${id} are damaged: ${error.message}`, {
      next: 'Bring the directory back from a backup.',
      cause: error,
    });
  }
}

/** What peers trust: the root of every authority, each once. Throws E_CA_DIRECTORY. */
export function bundleOf(state: CaState): TrustBundle {
  const roots = new Map<string, Certificate>();
  for (const record of state.authorities) {
    const root = certificatesOf(record)?.root;
    if (root) roots.set(root.fingerprint, root);
  }
  const { trustDomain, sequence } = state;
  return { trustDomain, roots: [...roots.values()], jwtKeys: [], sequence, refreshHint: REFRESH_HINT };
}

/** The authority that signs, with its key. */
export interface SigningAuthority {
  id: string;
  authority: Authority;
  root: Certificate;
  /** PEM of what goes with every certificate: the chain, without the root. */
  chainPem: string;
}

/** Throws E_CA_MISSING while none is active, E_CA_KEY, E_CA_DIRECTORY. */
export function openSigner(directory: string, state: CaState, passphrase: string | undefined): SigningAuthority {
  const record = activeOf(state);
  const certificates = record && certificatesOf(record);
  if (record === undefined || certificates === undefined)
    throw new FairleadError('E_CA_MISSING', `the certificate authority in ${directory} has no certificate to sign with yet`, {
      next: 'Have its request signed by your root, and give the answer to `fairlead ca intermediate --install CHAIN --root ROOT`.',
    });
  const { root, chain } = certificates;
  const certificate = chain[0] ?? root;
  const key = loadKey(directory, record.signerKey, passphrase);
  if (!publicKeyInfo(key).equals(certificate.publicKey.export({ type: 'spki', format: 'der' })))
    throw new FairleadError('E_CA_KEY', `the key keys/${record.signerKey} is not that of the authority’s certificate`, {
      next: 'Bring the directory back from a backup.',
    });
  const authority = authorityOf(state.trustDomain, { certificate, key }, chain.slice(1), root);
  return { id: record.id, authority, root, chainPem: authority.chain.map((c) => c.pem).join('') };
}
