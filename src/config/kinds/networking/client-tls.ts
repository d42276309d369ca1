import type { Static } from 'typebox';
import { boolean, choice, message, string, strings } from '../schema.ts';

export const ClientTLSSettings = message('How connections to a server are secured.', {
  mode: choice(
    ['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'],
    'DISABLE: plain text, the default. SIMPLE: TLS. MUTUAL: TLS with a client certificate from the fields below. ISTIO_MUTUAL: TLS with the certificates of the mesh.',
  ),
  clientCertificate: string('MUTUAL: file with the client certificate chain, PEM.'),
  privateKey: string('MUTUAL: file with the key of the client certificate, PEM.'),
  caCertificates: string(
    "File with the CA certificates that the server's is checked against, PEM; `system` for the system's own, the default.",
  ),
  credentialName: string(
    'SIMPLE and MUTUAL: name of a Secret with certificate, key and CA, in place of files; `configmap://namespace/name` for a ConfigMap with a CA. Gateways, and sidecars chosen by a workloadSelector.',
  ),
  subjectAltNames: strings(
    "Names of which the server's certificate must carry one. Default: those that the registry knows for the service.",
  ),
  sni: string('Server name sent in the handshake (SNI). Default for SIMPLE and MUTUAL: the Host header.'),
  insecureSkipVerify: boolean('SIMPLE and MUTUAL: accepts any server certificate. Default: false.'),
  caCrl: string("SIMPLE and MUTUAL: file with a certificate revocation list that the server's certificate is checked against, PEM."),
});

export type ClientTLSSettings = Static<typeof ClientTLSSettings>;
