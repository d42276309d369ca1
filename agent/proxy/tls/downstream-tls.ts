import type { PeerCertificate } from '../../../src/routing/peer-certificate.ts';

/** What is known of a client's connection once its handshake is over. */
export interface DownstreamTls {
  /** `TLSv1.3` */
  readonly version: string;
  /** IANA's name: `TLS_AES_256_GCM_SHA384`, or OpenSSL's for TLS 1.2, as Envoy shows it. */
  readonly cipher: string;
  /** Lower case; empty without one. */
  readonly sni: string;
  /** By ALPN. */
  readonly protocol: string | undefined;
  /** Validated; undefined when the client showed none. */
  readonly peer: PeerCertificate | undefined;
  /** What this side showed. */
  readonly local: PeerCertificate | undefined;
}
