/** One certificate: checked against the policy, signed, written down, handed out; in this order. */
import { FairleadError } from '../../src/errors.ts';
import { issueSvid } from '../../src/pki/authority.ts';
import { toPem } from '../../src/pki/pem.ts';
import { PkiError } from '../../src/pki/pki-error.ts';
import type { CertificateRequest } from '../../src/pki/request.ts';
import type { AuditLog, IssuedEntry } from './audit.ts';
import type { SigningAuthority } from './authorities.ts';
import { lifeFor, type Policy, refusalFor } from './policy.ts';

/** What signs: the authority, the trust bundle that goes with what it issues, and who may have what. */
export interface Issuer {
  signer: SigningAuthority;
  /** PEM of the roots, and its sequence. */
  rootsPem: string;
  sequence: number;
  policy: Policy;
  audit: AuditLog;
}

export interface Caller {
  /** A SPIFFE ID, or `local`. */
  name: string;
  by: IssuedEntry['by'];
  /** The serial number of the certificate that it showed. */
  serial?: string;
  /** An identity that it was found to ask for by right, as an agent for a pod of its node. */
  vouched?: string;
}

export interface IssueRequest {
  identity: string;
  request: Pick<CertificateRequest, 'publicKey' | 'publicKeyInfo'>;
  dnsNames: readonly string[];
  /** IP addresses; only the CA's own certificate has them. */
  addresses?: readonly string[];
  /** undefined: the policy's default. More than the policy's cap is cut to the cap. */
  lifeMs: number | undefined;
  replaces?: string | undefined;
  /** The trust bundle that its holder has, where none goes with the certificate. */
  sequence?: number;
}

export interface IssuedCertificate {
  identity: string;
  serial: string;
  notAfter: string;
  authority: string;
  sequence: number;
  /** PEM, leaf first, without the root. */
  chain: string;
  /** PEM of all roots that its holder trusts. */
  roots: string;
}

/** Throws E_CA_REFUSED (and writes that down), E_CA_DIRECTORY when it cannot be written down. */
export function issueCertificate(issuer: Issuer, caller: Caller, wanted: IssueRequest, now: Date): IssuedCertificate {
  const { signer, policy, audit } = issuer;
  const { sequence = issuer.sequence } = wanted;
  const { identity, request, dnsNames, replaces } = wanted;
  const time = now.toISOString();
  const refuse = (why: string): FairleadError => {
    writeRefusal(audit, caller, identity, why, time);
    return new FairleadError('E_CA_REFUSED', `${caller.name} may not have a certificate for ${identity}: ${why}`, {
      next: 'Allow it in policy.yaml in the CA’s directory, if it should be.',
    });
  };
  const refusal = refusalFor(policy, caller, identity, dnsNames, request.publicKey);
  if (refusal !== undefined) throw refuse(refusal);
  try {
    const svid = issueSvid(signer.authority, {
      identity,
      publicKey: request.publicKeyInfo,
      rsa: request.publicKey.asymmetricKeyType === 'rsa',
      dnsNames,
      ...(wanted.addresses ? { addresses: wanted.addresses } : {}),
      lifeMs: lifeFor(policy, caller, identity, wanted.lifeMs),
      now,
    });
    const notAfter = svid.notAfter.toISOString();
    const entry: IssuedEntry = {
      event: 'issued',
      time,
      identity,
      serial: svid.serial,
      ...(dnsNames.length > 0 ? { dnsNames } : {}),
      notAfter,
      authority: signer.id,
      sequence,
      caller: caller.name,
      by: caller.by,
      ...(replaces === undefined ? {} : { replaces }),
    };
    audit.append(entry);
    return {
      identity,
      serial: svid.serial,
      notAfter,
      authority: signer.id,
      sequence,
      chain: toPem('CERTIFICATE', svid.der) + signer.chainPem,
      roots: issuer.rootsPem,
    };
  } catch (error) {
    if (error instanceof PkiError) throw refuse(error.message);
    throw error;
  }
}

/** Throws E_CA_DIRECTORY. @param time ISO 8601 */
export function writeRefusal(audit: AuditLog, caller: Caller, identity: string, why: string, time = new Date().toISOString()): void {
  audit.append({ event: 'refused', time, caller: caller.name, by: caller.by, identity, why });
}
