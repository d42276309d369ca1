/** Why TLS failed, in plain words: from Envoy's transport failure reasons, which are BoringSSL's names. */

/** What is wrong with what a peer showed, or with what it said to ours; parts of a reason, the first that is there counts. */
type Words = readonly (readonly [part: string, text: string])[];

/** `it` is the other side. */
const WORDS: Words = [
  ['PEER_DID_NOT_RETURN_A_CERTIFICATE', 'it showed no certificate'],
  ['HTTP_REQUEST', 'it speaks plain HTTP where TLS is asked for'],
  ['WRONG_VERSION_NUMBER', 'it does not speak TLS'],
  ['certificate has expired', 'its certificate has expired'],
  ['certificate is not yet valid', 'its certificate is not valid yet'],
  ['certificate revoked', 'its certificate was revoked'],
  ['certificate signature failure', 'the signature of its certificate is wrong'],
  ['unable to get local issuer certificate', 'its certificate is of no CA that is trusted here'],
  ['unable to get issuer certificate', 'its certificate is of no CA that is trusted here'],
  ['self signed certificate', 'its certificate is of no CA that is trusted here (self-signed)'],
  ['unsupported certificate purpose', 'its certificate is not for this use'],
  ['permitted subtree violation', 'its certificate has a name that its CA may not give'],
  ['permitted violation', 'its certificate has a name that its CA may not give'],
  ['SAN list', 'its certificate has another name'],
  ['SAN matcher', 'its certificate has another name'],
  ['cert hash', 'it is not the certificate that is asked for'],
  ['CERTIFICATE_VERIFY_FAILED', 'its certificate is refused'],
  ['ALERT_CERTIFICATE_EXPIRED', 'it says that the certificate shown to it has expired'],
  ['ALERT_UNKNOWN_CA', 'it does not trust the CA of the certificate shown to it'],
  ['ALERT_CERTIFICATE_REQUIRED', 'it asks for a certificate, and was shown none'],
  ['ALERT_CERTIFICATE_UNKNOWN', 'it refuses the certificate shown to it'],
  ['ALERT_BAD_CERTIFICATE', 'it refuses the certificate shown to it'],
  ['ALERT_PROTOCOL_VERSION', 'no TLS version suits both sides'],
  ['UNSUPPORTED_PROTOCOL', 'no TLS version suits both sides'],
  ['NO_SHARED_CIPHER', 'no cipher suits both sides'],
  ['NO_COMMON_SIGNATURE_ALGORITHMS', 'no signature algorithm suits both sides'],
  ['ALERT_HANDSHAKE_FAILURE', 'nothing suits both sides'],
  ['NO_APPLICATION_PROTOCOL', 'no application protocol (ALPN) suits both sides'],
  ['ALERT_UNRECOGNIZED_NAME', 'it does not know the server name (SNI)'],
  ['UNRECOGNIZED_NAME', 'it does not know the server name (SNI)'],
  ['Secret is not supplied by SDS', 'the proxy has no certificate yet'],
  ['Connection reset by peer', 'it cut the connection off'],
];

/** One clause about the other side, `it`; for a reason that is not known, the reason itself without the words around it. */
export function tlsFailureText(reason: string): string {
  const plain = reason.replaceAll('_', ' ');
  const known = WORDS.find(([part]) => reason.includes(part) || plain.includes(part));
  if (known) return known[1];
  const [, said] = /OPENSSL_internal:(.*?)(?::TLS_error_end)?$/.exec(reason) ?? [];
  return `the handshake failed: ${said ?? reason}`;
}
