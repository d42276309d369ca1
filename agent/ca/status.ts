import type { Certificate } from '../../src/pki/certificate.ts';
import { bundleOf, certificatesOf } from './authorities.ts';
import { readState, readTextIfThere } from './directory.ts';
import { isEncrypted } from './keys.ts';
import type { Stage } from './state.ts';

export interface AuthorityStatus {
  id: string;
  stage: Stage;
  since: string;
  /** undefined while its certificate is only requested. */
  root: CertificateSpan | undefined;
  intermediate: CertificateSpan | undefined;
  /** Where its root's key is. */
  rootKey: 'here' | 'elsewhere';
  encrypted: boolean;
}

export interface CertificateSpan {
  subject: string;
  key: string;
  notAfter: string;
  secondsLeft: number;
  sha256: string;
}

export interface CaStatus {
  directory: string;
  trustDomain: string;
  /** Of the trust bundle. */
  sequence: number;
  roots: number;
  authorities: AuthorityStatus[];
}

/** Throws E_CA_MISSING, E_CA_DIRECTORY. No key is opened. */
export function caStatus(directory: string, now: Date): CaStatus {
  const state = readState(directory);
  return {
    directory,
    trustDomain: state.trustDomain,
    sequence: state.sequence,
    roots: bundleOf(state).roots.length,
    authorities: state.authorities.map((record) => {
      const certificates = certificatesOf(record);
      const signer = certificates?.chain[0];
      return {
        id: record.id,
        stage: record.stage,
        since: record.since,
        root: certificates && spanOf(certificates.root, now),
        intermediate: signer && spanOf(signer, now),
        rootKey: record.rootKey === undefined ? 'elsewhere' : 'here',
        encrypted: isEncrypted(readTextIfThere(directory, `keys/${record.signerKey}`) ?? ''),
      };
    }),
  };
}

const spanOf = ({ subject, key, notAfter, fingerprint }: Certificate, now: Date): CertificateSpan => ({
  subject,
  key: key.name,
  notAfter: notAfter.toISOString(),
  secondsLeft: Math.floor((notAfter.getTime() - now.getTime()) / 1000),
  sha256: fingerprint,
});
