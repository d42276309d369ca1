/** Every field of TLS contexts that the embedded proxy refuses, and why. */
import type {
  CertificateValidationContextJson,
  TlsCertificateJson,
} from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js';

type Message = 'DownstreamTlsContext' | 'UpstreamTlsContext' | 'CommonTlsContext' | 'TlsCertificate' | 'CertificateValidationContext';

const providers = 'certificates come inline or as secrets';

export const UNSUPPORTED: Readonly<Record<Message, Readonly<Record<string, string>>>> = {
  DownstreamTlsContext: {
    sessionTicketKeys: 'each certificate has ticket keys of its own',
    sessionTicketKeysSdsSecretConfig: 'each certificate has ticket keys of its own',
    fullScanCertsOnSniMismatch: 'the first certificate is shown when none has the name',
  },
  UpstreamTlsContext: {
    allowRenegotiation: 'connections are never negotiated anew',
    enforceRsaKeyUsage: 'the key usage of servers with RSA keys is not looked at',
  },
  CommonTlsContext: {
    tlsCertificateProviderInstance: providers,
    tlsCertificateCertificateProvider: providers,
    tlsCertificateCertificateProviderInstance: providers,
    validationContextCertificateProvider: providers,
    validationContextCertificateProviderInstance: providers,
    customHandshaker: 'handshakes are those of TLS',
    customTlsCertificateSelector: 'certificates are chosen by server name',
    keyLog: 'session keys are never written',
  },
  TlsCertificate: {
    watchedDirectory: 'files are read by the agent, which watches them',
    pkcs12: 'use certificateChain and privateKey',
    privateKeyProvider: 'use privateKey',
    ocspStaple: 'no OCSP responses are shown',
    signedCertificateTimestamp: 'no certificate timestamps are shown',
  },
  CertificateValidationContext: {
    watchedDirectory: 'files are read by the agent, which watches them',
    caCertificateProviderInstance: providers,
    systemRootCerts: 'Envoy does not act on it either; trust the secret file-root:system',
    requireSignedCertificateTimestamp: 'certificate timestamps are not looked at',
    allowExpiredCertificate: 'an expired certificate proves nothing',
    customValidatorConfig: 'there are no further validators',
    onlyVerifyLeafCertCrl: 'all certificates of a chain are looked up in the CRL',
    maxVerifyDepth: 'chains may be as long as those of OpenSSL',
    matchSubjectAltNames: 'it is deprecated; use matchTypedSubjectAltNames',
  },
};

function asksForNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** `field: why` for each field of the message that is set and not supported. */
export function unsupportedIn(message: Message, json: object): { field: string; why: string }[] {
  const fields = UNSUPPORTED[message];
  return Object.entries(json).flatMap(([field, value]) =>
    Object.hasOwn(fields, field) && !asksForNothing(value) ? [{ field, why: fields[field]! }] : [],
  );
}

const sentence = ({ field, why }: { field: string; why: string }): string => `${field} is not supported: ${why}`;

export function unsupportedCertificate(json: TlsCertificateJson): string[] {
  return unsupportedIn('TlsCertificate', json).map(sentence);
}

export function unsupportedValidation(json: CertificateValidationContextJson): string[] {
  const found = unsupportedIn('CertificateValidationContext', json).map(sentence);
  if (json.trustChainVerification === 'ACCEPT_UNTRUSTED')
    found.push('trustChainVerification ACCEPT_UNTRUSTED is not supported: certificates that nobody vouches for prove nothing');
  return found;
}
