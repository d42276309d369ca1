import type { Static } from 'typebox';
import { boolean, choice, list, message, string, strings } from '../schema.ts';

const versions = ['TLS_AUTO', 'TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3'] as const;

export const TLSCertificate = message('A certificate from files.', {
  serverCertificate: string('File with the certificate chain, PEM.'),
  privateKey: string('File with its key, PEM.'),
  caCertificates: string('File with the CA certificates that clients are checked against, PEM.'),
});

export const ServerTLSSettings = message(
  'How a server secures connections.',
  {
    httpsRedirect: boolean('Answers plain HTTP requests with a redirect (301) to HTTPS. Default: false.'),
    mode: choice(
      ['PASSTHROUGH', 'SIMPLE', 'MUTUAL', 'AUTO_PASSTHROUGH', 'ISTIO_MUTUAL', 'OPTIONAL_MUTUAL'],
      'PASSTHROUGH (the default): passes TLS on by server name. SIMPLE: TLS. MUTUAL: TLS, and clients need a certificate. OPTIONAL_MUTUAL: clients may have one. ISTIO_MUTUAL: as MUTUAL with the certificates of the mesh. AUTO_PASSTHROUGH: passes mesh TLS on to the service that the server name tells.',
    ),
    serverCertificate: string('SIMPLE and MUTUAL: file with the certificate chain, PEM.'),
    privateKey: string('SIMPLE and MUTUAL: file with its key, PEM.'),
    caCertificates: string('MUTUAL and OPTIONAL_MUTUAL: file with the CA certificates that clients are checked against, PEM.'),
    caCrl: string('MUTUAL and OPTIONAL_MUTUAL: file with a certificate revocation list for client certificates, PEM.'),
    credentialName: string('Name of a Secret with certificate, key and CA, in place of files.'),
    credentialNames: strings('Names of one or two Secrets, such as one with an RSA and one with an ECDSA certificate.', {
      minItems: 1,
      maxItems: 2,
    }),
    caCertCredentialName: string('Name of a Secret or ConfigMap with the CA certificates that clients are checked against.'),
    tlsCertificates: list(TLSCertificate, 'One or two certificates from files, such as an RSA and an ECDSA one.', {
      minItems: 1,
      maxItems: 2,
    }),
    subjectAltNames: strings('Names of which the certificate of a client must carry one.'),
    verifyCertificateSpki: strings('Accepted client certificates by the base64 SHA-256 hash of their public key.'),
    verifyCertificateHash: strings('Accepted client certificates by their hex SHA-256 hash.'),
    minProtocolVersion: choice(versions, 'Oldest TLS version. TLS_AUTO, the default: 1.2.'),
    maxProtocolVersion: choice(versions, 'Newest TLS version. TLS_AUTO, the default: 1.3.'),
    cipherSuites: strings('Cipher suites for TLS up to 1.2, by their OpenSSL names. Default: those of Envoy.'),
    insecureSkipVerify: boolean('MUTUAL and OPTIONAL_MUTUAL: accepts any client certificate. Default: false.'),
  },
  { oneOf: [['credentialName', 'credentialNames', 'tlsCertificates']] },
);

export type ServerTLSSettings = Static<typeof ServerTLSSettings>;
