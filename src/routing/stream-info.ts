import type { RequestRecord } from '../telemetry/request-record.ts';
import type { HeaderSource } from './header-matcher.ts';

/**
 * What command operators (`%PROTOCOL%`) may show of one request. A RequestRecord is one as it stands; more fields add what a
 * record does not keep. Everything may be missing: it shows as `-` in logs and as nothing in headers.
 */
export interface StreamInfo extends Partial<Omit<RequestRecord, 'protocol'>> {
  protocol?: string;
  request?: HeaderSource;
  /** Flat, lower-case names. */
  responseHeaders?: readonly string[];
  responseTrailers?: readonly string[];
  /** Of this machine. */
  hostname?: string;
  /** Addresses with port, where they differ from the trusted client's (DOWNSTREAM_DIRECT_REMOTE_ADDRESS). */
  downstreamDirectRemoteAddress?: string;
  upstreamRemoteAddress?: string;
  upstreamProtocol?: string;
  connectionId?: number;
  upstreamConnectionId?: number;
  /** Milliseconds from the start: request received, first and last byte of the response. */
  requestDuration?: number;
  requestTxDuration?: number;
  responseDuration?: number;
  responseTxDuration?: number;
  /** Why a client's handshake failed. */
  downstreamTransportFailure?: string;
  tlsVersion?: string;
  tlsCipher?: string;
  peerSubject?: string;
  peerUriSan?: string;
  /** Lists as Envoy joins them: with commas. */
  peerDnsSan?: string;
  localDnsSan?: string;
  peerIssuer?: string;
  peerSerial?: string;
  /** Hexadecimal SHA-256. */
  peerFingerprint?: string;
  localSubject?: string;
  /** URL-encoded PEM. */
  peerCertificate?: string;
  /** Milliseconds since 1970. */
  peerNotBefore?: number;
  peerNotAfter?: number;
  localUriSan?: string;
  virtualHost?: string;
  virtualClusterName?: string;
  filterChainName?: string;
  /** Dynamic metadata by filter name. */
  metadata?: Readonly<Record<string, unknown>>;
  routeMetadata?: Readonly<Record<string, unknown>>;
  clusterMetadata?: Readonly<Record<string, unknown>>;
}
