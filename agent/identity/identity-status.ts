/** What an agent tells of its certificates: never a key. */
import type { CertificateStatus } from './certificates.ts';

/** A secret that a proxy asks for and that is not as it should be. */
export interface SecretProblem {
  /** As in the proxy's config: `kubernetes://shop-cert`; empty: all of the proxy's. */
  name: string;
  message: string;
  /** Whether an older one serves meanwhile. */
  serves: boolean;
}

export interface IdentityStatus {
  /** `the CA in DIR`, `the CA at HOST:PORT`. */
  ca: string;
  /** The agent's own certificate, where it asks a CA that is served elsewhere. Times are ISO 8601. */
  agent?: { identity: string; notAfter: string; nextRenewal: string };
  /** What proxies trust; undefined before anything was issued. */
  trust: { trustDomain: string; sequence: number } | undefined;
  /** `proxies`: `<name>.<namespace>` of those that show it. */
  certificates: (CertificateStatus & { proxies: string[] })[];
  problems: (SecretProblem & { proxy: string })[];
}
