/** Handshake failures in Envoy's words, which are BoringSSL's. */

const SSL_LIBRARY = 16;
/** BoringSSL's numbers of the reasons that occur (ssl.h); alerts of the peer are 1000 and the alert's number (RFC 8446 6). */
const REASONS: Readonly<Record<string, number>> = {
  CERTIFICATE_VERIFY_FAILED: 125,
  HTTP_REQUEST: 155,
  NO_SHARED_CIPHER: 178,
  PEER_DID_NOT_RETURN_A_CERTIFICATE: 192,
  UNSUPPORTED_PROTOCOL: 240,
  WRONG_VERSION_NUMBER: 247,
  NO_COMMON_SIGNATURE_ALGORITHMS: 253,
  SSLV3_ALERT_UNEXPECTED_MESSAGE: 1010,
  SSLV3_ALERT_BAD_RECORD_MAC: 1020,
  SSLV3_ALERT_HANDSHAKE_FAILURE: 1040,
  SSLV3_ALERT_NO_CERTIFICATE: 1041,
  SSLV3_ALERT_BAD_CERTIFICATE: 1042,
  SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: 1043,
  SSLV3_ALERT_CERTIFICATE_REVOKED: 1044,
  SSLV3_ALERT_CERTIFICATE_EXPIRED: 1045,
  SSLV3_ALERT_CERTIFICATE_UNKNOWN: 1046,
  SSLV3_ALERT_ILLEGAL_PARAMETER: 1047,
  TLSV1_ALERT_UNKNOWN_CA: 1048,
  TLSV1_ALERT_ACCESS_DENIED: 1049,
  TLSV1_ALERT_DECODE_ERROR: 1050,
  TLSV1_ALERT_DECRYPT_ERROR: 1051,
  TLSV1_ALERT_PROTOCOL_VERSION: 1070,
  TLSV1_ALERT_INSUFFICIENT_SECURITY: 1071,
  TLSV1_ALERT_INTERNAL_ERROR: 1080,
  TLSV1_UNRECOGNIZED_NAME: 1112,
  TLSV1_ALERT_UNRECOGNIZED_NAME: 1112,
  TLSV1_ALERT_CERTIFICATE_REQUIRED: 1116,
  TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 1120,
};

/** OpenSSL's names of what BoringSSL calls otherwise. */
const RENAMED: Readonly<Record<string, string>> = {
  PACKET_LENGTH_TOO_LONG: 'WRONG_VERSION_NUMBER',
  BAD_RECORD_TYPE: 'WRONG_VERSION_NUMBER',
  NO_SUITABLE_SIGNATURE_ALGORITHM: 'NO_COMMON_SIGNATURE_ALGORITHMS',
  TLSV13_ALERT_CERTIFICATE_REQUIRED: 'TLSV1_ALERT_CERTIFICATE_REQUIRED',
};

/** `TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS_error_end`. */
export function tlsError(reason: string): string {
  const [name = ''] = reason.split(':');
  const number = Object.hasOwn(REASONS, name) ? SSL_LIBRARY * 2 ** 24 + REASONS[name]! : undefined;
  return `TLS_error:|${number ?? 'unknown'}:SSL routines:OPENSSL_internal:${reason}:TLS_error_end`;
}

/** OpenSSL's codes of what is wrong with a chain, in BoringSSL's words. */
const CHAIN: Readonly<Record<string, string>> = {
  UNABLE_TO_GET_ISSUER_CERT: 'unable to get issuer certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unable to get local issuer certificate',
  // BoringSSL ends at the error before this one.
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unable to get local issuer certificate',
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not yet valid',
  CERT_REVOKED: 'certificate revoked',
  CERT_SIGNATURE_FAILURE: 'certificate signature failure',
  UNABLE_TO_GET_CRL: 'unable to get certificate CRL',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'self signed certificate in certificate chain',
  INVALID_PURPOSE: 'unsupported certificate purpose',
};

/** A certificate was refused; `why` as Envoy puts it behind `verify cert failed: `. */
export function refusedCertificate(why: string): string {
  return tlsError(`CERTIFICATE_VERIFY_FAILED:verify cert failed: ${why}`);
}

/** Of the code that node:tls gives for a chain. It does not tell how deep: the certificate itself is meant. */
export function refusedChain(code: string): string {
  const words = Object.hasOwn(CHAIN, code) ? CHAIN[code]! : code.toLowerCase().replaceAll('_', ' ');
  return refusedCertificate(`X509_verify_cert: certificate verification error at depth 0: ${words}`);
}

/** A peer that cut the connection off. */
export const RESET_BY_PEER = 'TLS_error:|33554536:system library:OPENSSL_internal:Connection reset by peer:TLS_error_end';

/** The reason of an error of node:tls as BoringSSL's name; undefined when it comes from the network and not from TLS. */
export function reasonOf(error: Error & { code?: string; reason?: string }): string | undefined {
  if (error.code?.startsWith('ERR_SSL_') !== true && error.reason === undefined) return undefined;
  const name = (error.reason ?? error.code!.slice('ERR_SSL_'.length))
    .toUpperCase()
    .replaceAll(' ', '_')
    .replace(/^SSL\/TLS_ALERT/, 'SSLV3_ALERT');
  return RENAMED[name] ?? name;
}
