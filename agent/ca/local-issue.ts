import type { KeyObject } from 'node:crypto';
import { FairleadError } from '../../src/errors.ts';
import { generateKey, type KeyAlgorithm, keyToPem, publicKeyInfo } from '../../src/pki/keys.ts';
import { PkiError } from '../../src/pki/pki-error.ts';
import { readRequest } from '../../src/pki/request.ts';
import { parseSpiffeId, workloadIdentity } from '../../src/pki/spiffe-id.ts';
import { bundleToPem } from '../../src/pki/trust-bundle.ts';
import { openAudit } from './audit.ts';
import { bundleOf, openSigner } from './authorities.ts';
import { readState } from './directory.ts';
import { type IssuedCertificate, issueCertificate } from './issue.ts';
import { readPolicy } from './read-policy.ts';

export interface LocalIssueOptions {
  /** A SPIFFE ID, or `NAMESPACE/SERVICE-ACCOUNT` in the CA's trust domain. */
  identity: string;
  /** PEM of a request; left out, a key is made. */
  request: string | undefined;
  algorithm: KeyAlgorithm;
  dnsNames: readonly string[];
  lifeMs: number | undefined;
  replaces?: string;
  passphrase: string | undefined;
}

/** Signs with the CA's directory at hand. `key`: PEM, unless a request was given. Throws E_CA_MISSING, E_CA_KEY, E_CA_REFUSED, E_USAGE, E_CA_DIRECTORY. */
export async function issueLocally(
  directory: string,
  options: LocalIssueOptions,
): Promise<{ issued: IssuedCertificate; key: string | undefined }> {
  const state = readState(directory);
  const identity = fullIdentity(state.trustDomain, options.identity);
  const policy = readPolicy(directory);
  const signer = openSigner(directory, state, options.passphrase);
  const bundle = bundleOf(state);
  const key = options.request === undefined ? await generateKey(options.algorithm) : undefined;
  const request = key ? ownRequest(key) : readTypedRequest(options.request as string);
  const audit = openAudit(directory);
  try {
    const issuer = { signer, rootsPem: bundleToPem(bundle), sequence: state.sequence, policy, audit };
    const { dnsNames, lifeMs, replaces } = options;
    const wanted = { identity, request, dnsNames, lifeMs, replaces };
    const issued = issueCertificate(issuer, { name: 'local', by: 'local' }, wanted, new Date());
    return { issued, key: key && keyToPem(key) };
  } finally {
    audit.close();
  }
}

const ownRequest = (key: KeyObject) => ({ publicKey: key, publicKeyInfo: publicKeyInfo(key) });

function readTypedRequest(pem: string) {
  try {
    return readRequest(pem);
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    throw new FairleadError('E_CERTIFICATE_UNREADABLE', error.message, {
      next: 'Make one with `openssl req -new -key KEY -subj /`.',
      cause: error,
    });
  }
}

/** Throws E_USAGE for what is neither form, and for a workload of another trust domain. */
export function fullIdentity(trustDomain: string, typed: string): string {
  const short = /^([^/:]+)\/([^/:]+)$/.exec(typed);
  const identity = short ? workloadIdentity(trustDomain, short[1] as string, short[2] as string) : typed;
  const parsed = parseSpiffeId(identity);
  const next = 'Write spiffe://TRUST-DOMAIN/PATH, or NAMESPACE/SERVICE-ACCOUNT.';
  if (!parsed.ok) throw new FairleadError('E_USAGE', `${JSON.stringify(typed)} is no identity: ${parsed.reason}`, { next });
  if (parsed.id.trustDomain !== trustDomain)
    throw new FairleadError('E_USAGE', `${identity} is not in this CA’s trust domain, ${trustDomain}`, { next });
  if (parsed.id.path === '') throw new FairleadError('E_USAGE', `${identity} names a trust domain, not a workload`, { next });
  return identity;
}
