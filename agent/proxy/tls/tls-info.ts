import type { StreamInfo } from '../../../src/routing/stream-info.ts';
import type { DescribedCertificate } from './describe-certificate.ts';
import type { DownstreamTls } from './downstream-tls.ts';

/** Adds what command operators may show of a client's TLS. */
export function addTlsInfo(info: StreamInfo, tls: DownstreamTls): void {
  info.tlsVersion = tls.version;
  info.tlsCipher = tls.cipher;
  if (tls.local !== undefined) {
    info.localUriSan = tls.local.uriSans.join(',');
    info.localDnsSan = tls.local.dnsSans.join(',');
    info.localSubject = tls.local.subject;
  }
  const peer = tls.peer as DescribedCertificate | undefined;
  if (peer === undefined) return;
  info.peerSubject = peer.subject;
  info.peerUriSan = peer.uriSans.join(',');
  info.peerDnsSan = peer.dnsSans.join(',');
  info.peerIssuer = peer.issuer;
  info.peerSerial = peer.serial;
  info.peerFingerprint = peer.sha256;
  info.peerNotBefore = peer.notBefore;
  info.peerNotAfter = peer.notAfter;
  // Encoded only when a log asks for it.
  Object.defineProperty(info, 'peerCertificate', { get: () => peer.pem, enumerable: false, configurable: true });
}
