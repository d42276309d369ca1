/**
 * Path validation: RFC 5280 6, and for SVIDs the SPIFFE X.509-SVID standard, 5. Everything that is wrong is said, each fault by its own
 * name: a certificate is never called valid because another check came first.
 */

import { toDer } from './asn1.ts';
import { type Certificate, isIssuedBy } from './certificate.ts';
import { isPermitted } from './name-constraints.ts';
import { OID } from './oids.ts';
import { sanMatches } from './san-match.ts';
import { svidFaults } from './svid.ts';

export type FaultCode =
  | 'expired'
  | 'not-yet-valid'
  | 'unknown-root'
  | 'bad-signature'
  | 'weak-signature'
  | 'weak-key'
  | 'not-a-ca'
  | 'path-length'
  | 'name-constraint'
  | 'key-usage'
  | 'purpose'
  | 'unknown-extension'
  | 'wrong-name'
  | 'not-an-svid';

/** One thing that is wrong with a certificate of a chain. */
export interface Fault {
  code: FaultCode;
  /** One sentence without a full stop. */
  message: string;
  certificate: Certificate;
}

export interface VerifyOptions {
  /** When; the caller's clock. */
  at: Date;
  /** What the leaf is for; undefined: anything. */
  purpose?: 'server' | 'client' | 'svid';
  /** A name that the leaf must have: a SPIFFE ID, a host name or an address. */
  name?: string;
}

export interface Verdict {
  /** Leaf first, up to and with the root where one was found. */
  path: readonly Certificate[];
  /** Empty: valid. */
  faults: readonly Fault[];
}

/** Longer chains are refused: no mesh has them, and searching costs. */
const MAX_PATH = 8;

/**
 * Verifies a leaf against roots. Of several paths (cross-signed intermediates, two roots while one is replaced) the one with the
 * fewest faults counts.
 *
 * @param others certificates that came with the leaf, in any order
 */
export function verifyChain(
  leaf: Certificate,
  others: readonly Certificate[],
  roots: readonly Certificate[],
  options: VerifyOptions,
): Verdict {
  const paths = pathsFrom([leaf], others, roots);
  const verdicts = paths.map((path) => judge(path, roots, options));
  return verdicts.reduce((best, verdict) => (verdict.faults.length < best.faults.length ? verdict : best));
}

const isSame = (a: Certificate, b: Certificate): boolean => a.fingerprint === b.fingerprint;

/** All ways up by names and key ids: whether signatures hold is judged later, so that a tampered one is called that. */
function pathsFrom(path: readonly Certificate[], others: readonly Certificate[], roots: readonly Certificate[]): Certificate[][] {
  const last = path.at(-1) as Certificate;
  if (roots.some((root) => isSame(root, last)) || path.length >= MAX_PATH) return [[...path]];
  const issuers = [...roots, ...others].filter((candidate) => !path.some((p) => isSame(p, candidate)) && mayIssue(candidate, last));
  if (issuers.length === 0) return [[...path]];
  // Signatures decide between issuers of one name: only where none holds are all of them worth a look.
  const signed = issuers.filter((issuer) => isIssuedBy(last, issuer));
  return (signed.length > 0 ? signed : issuers.slice(0, 1)).flatMap((issuer) => pathsFrom([...path, issuer], others, roots));
}

function mayIssue(issuer: Certificate, subject: Certificate): boolean {
  if (!toDer(issuer.subjectName).equals(toDer(subject.issuerName))) return false;
  return issuer.subjectKeyId === undefined || subject.authorityKeyId === undefined || issuer.subjectKeyId === subject.authorityKeyId;
}

function judge(path: readonly Certificate[], roots: readonly Certificate[], options: VerifyOptions): Verdict {
  const faults = path.flatMap((certificate, depth) => [
    ...ownFaults(certificate, options.at),
    ...(depth > 0 ? issuerFaults(certificate, path, depth) : []),
  ]);
  const leaf = path[0] as Certificate;
  const top = path.at(-1) as Certificate;
  if (!roots.some((root) => isSame(root, top))) faults.push(untrusted(top));
  faults.push(...purposeFaults(leaf, options));
  return { path, faults };
}

function untrusted(top: Certificate): Fault {
  const own = isIssuedBy(top, top);
  const message = own
    ? `it is signed by itself, and not among the trusted roots`
    : `nothing trusted issued it: its issuer is ${top.issuer || 'nameless'}`;
  return { code: 'unknown-root', message, certificate: top };
}

function ownFaults(certificate: Certificate, at: Date): Fault[] {
  const { notBefore, notAfter, key, signature, unknownCritical } = certificate;
  const fault = (code: FaultCode, message: string): Fault => ({ code, message, certificate });
  const faults: Fault[] = [];
  if (at > notAfter) faults.push(fault('expired', `it expired on ${notAfter.toISOString()}`));
  if (at < notBefore) faults.push(fault('not-yet-valid', `it is not valid before ${notBefore.toISOString()}`));
  if (key.weakness) faults.push(fault('weak-key', `its key is weak (${key.name}): ${key.weakness}`));
  for (const id of unknownCritical) faults.push(fault('unknown-extension', `its critical extension ${id} is not understood`));
  // A root is trusted for its key, not for its signature.
  if (signature.weak && certificate.subject !== certificate.issuer)
    faults.push(fault('weak-signature', `it is signed with ${signature.name}`));
  return faults;
}

/** RFC 5280 6.1.4: what an issuer must be. `path[depth]` issued `path[depth - 1]`. */
function issuerFaults(issuer: Certificate, path: readonly Certificate[], depth: number): Fault[] {
  const below = path[depth - 1] as Certificate;
  const faults: Fault[] = [];
  const about = (certificate: Certificate, code: FaultCode, message: string): void => void faults.push({ code, message, certificate });
  if (!below.signature.weak && !isIssuedBy(below, issuer))
    about(
      below,
      'bad-signature',
      `its signature is not one of ${issuer.subject || 'its issuer'}: it was changed, or signed by another key of that name`,
    );
  if (!issuer.ca) about(issuer, 'not-a-ca', 'it issued a certificate and is no certificate authority');
  if (issuer.keyUsage && !issuer.keyUsage.includes('keyCertSign')) about(issuer, 'key-usage', 'its key may not sign certificates');
  const between = path.slice(1, depth).filter((c) => c.subject !== c.issuer).length;
  if (issuer.pathLength !== undefined && between > issuer.pathLength)
    about(issuer, 'path-length', `${between} authorities are below it; it allows ${issuer.pathLength}`);
  for (const certificate of path.slice(0, depth)) {
    const bad = certificate.sans.find((san) => !isPermitted(san, issuer));
    if (bad) about(certificate, 'name-constraint', `its name ${bad.value} is outside what ${issuer.subject || 'its issuer'} may sign`);
  }
  return faults;
}

function purposeFaults(leaf: Certificate, { purpose, name }: VerifyOptions): Fault[] {
  const faults: Fault[] = [];
  const fault = (code: FaultCode, message: string): void => void faults.push({ code, message, certificate: leaf });
  if (purpose === 'svid') for (const message of svidFaults(leaf)) fault('not-an-svid', message);
  const usages = leaf.extendedKeyUsage;
  const wanted = purpose === 'server' ? OID.serverAuth : purpose === 'client' ? OID.clientAuth : undefined;
  if (wanted && usages && !usages.includes(wanted) && !usages.includes(OID.anyExtendedKeyUsage))
    fault('purpose', `it is not for TLS ${purpose}s`);
  if (name !== undefined && !leaf.sans.some((san) => sanMatches(san, name))) {
    const names = leaf.sans.map((san) => san.value).join(', ');
    fault('wrong-name', names === '' ? `it has no name; ${name} was asked for` : `it is for ${names}, not for ${name}`);
  }
  return faults;
}
