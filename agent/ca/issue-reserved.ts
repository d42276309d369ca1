import type { AuditLog } from './audit.ts';
import { type Caller, type IssuedCertificate, type IssueRequest, issueCertificate } from './issue.ts';
import type { Live } from './live-issuer.ts';
import { lifeFor } from './policy.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Reserve } from './shared/reserve.ts';

/** What a served CA signs with, whoever asks by whatever way. */
export interface Signing {
  /** What is in the directory now. Throws E_CA_BUSY when another pod leads this CA. */
  live(): Live;
  limits: RateLimit;
  audit: AuditLog;
  /** Where several pods are one CA. */
  reserve: Reserve | undefined;
}

/** As `issueCertificate`, with what is there at the moment of signing, and after the other pods can know of it. */
export async function issueReserved({ live, reserve }: Signing, caller: Caller, wanted: IssueRequest): Promise<IssuedCertificate> {
  for (;;) {
    const now = live();
    const until = Date.now() + lifeFor(now.policy, caller, wanted.identity, wanted.lifeMs);
    await reserve?.(now.signer.id, wanted.sequence ?? now.sequence, until);
    if (live() === now) return issueCertificate(now, caller, wanted, new Date());
  }
}
