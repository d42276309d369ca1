/** What signs certificates for an agent: a CA's directory at hand, or a CA that is served elsewhere. */
import type { KeyObject } from 'node:crypto';
import type { IssuedCertificate } from '../ca/issue.ts';

export interface CertificateWish {
  /** A SPIFFE ID. */
  identity: string;
  dnsNames: readonly string[];
  key: KeyObject;
  /** undefined: what the CA's policy gives. */
  lifeMs: number | undefined;
  /** The serial number of the certificate that this one replaces. */
  replaces: string | undefined;
}

/** What an agent holds: the sequence of its trust bundle, and the serial numbers of its certificates. */
export interface Holding {
  sequence: number;
  serials: readonly string[];
}

/** What it should have. */
export interface Due {
  sequence: number;
  /** Authorities whose certificates are to be renewed at once. */
  renew: readonly string[];
  /** PEM; there when the sequence is another one than the agent's. */
  roots?: string;
}

export interface Issuer {
  /** For people: `the CA in /var/lib/fairlead/ca`. */
  readonly name: string;
  /** Rejects with E_CA_REFUSED for what is refused, other FairleadErrors for what may work later. */
  issue(wish: CertificateWish): Promise<IssuedCertificate>;
  /** Tells what is held. Rejects as `issue` does. */
  report(holding: Holding): Promise<Due>;
  /** The agent's own certificate for asking the CA, where there is one. */
  own(): { identity: string; notAfter: Date; renewAt: Date } | undefined;
  /** Told when there may be news: `report` is to be asked. */
  onNews?(listener: () => void): void;
  close(): void;
}
