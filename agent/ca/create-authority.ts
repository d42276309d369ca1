import type { KeyObject } from 'node:crypto';
import { createRoot, type KeyPair, signIntermediate } from '../../src/pki/authority.ts';
import { generateKey, publicKeyInfo } from '../../src/pki/keys.ts';
import { keyName, writeKey } from './keys.ts';
import type { AuthorityRecord, CaState } from './state.ts';

/** A root that signs the new intermediate: an existing one with its key's file, or a new one when left out. */
export interface ExistingRoot extends KeyPair {
  file: string | undefined;
}

/**
 * Makes a signing authority: a root, unless there is one, and an intermediate under it. Its keys are written; it counts once a state with
 * its record is. Call it with the lock held. Throws E_CA_DIRECTORY, PkiError `identity-invalid`.
 */
export async function createAuthority(
  directory: string,
  state: Pick<CaState, 'trustDomain' | 'algorithm' | 'rootLifeMs' | 'intermediateLifeMs'>,
  now: Date,
  passphrase: string | undefined,
  existing?: ExistingRoot,
): Promise<Omit<AuthorityRecord, 'stage' | 'sequence'>> {
  const { trustDomain, algorithm, rootLifeMs, intermediateLifeMs } = state;
  const key: KeyObject = await generateKey(algorithm);
  const id = keyName(key);
  const organization = trustDomain;
  const root: KeyPair =
    existing ??
    (await createRoot({ trustDomain, algorithm, subject: { organization, commonName: `Root CA ${id}` }, now, lifeMs: rootLifeMs }));
  const subject = { organization, commonName: `Intermediate CA ${id}` };
  const intermediate = signIntermediate(root, { trustDomain, subject, publicKey: publicKeyInfo(key), now, lifeMs: intermediateLifeMs });
  const rootKey = existing ? existing.file : await writeKey(directory, `${id}-root`, root.key, passphrase);
  const signerKey = await writeKey(directory, `${id}-signer`, key, passphrase);
  return { id, since: now.toISOString(), root: root.certificate.pem, chain: [intermediate.pem], rootKey, signerKey };
}
