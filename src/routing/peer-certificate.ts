/** What a validated certificate says of who shows it: the peer of a connection, or this side of it. */
export interface PeerCertificate {
  /** In the order of the certificate. */
  readonly uriSans: readonly string[];
  readonly dnsSans: readonly string[];
  /** RFC 2253, as Envoy prints it: `CN=a,O=b`. */
  readonly subject: string;
  readonly issuer: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** Hexadecimal SHA-256 of the DER. */
  readonly sha256: string;
  /** URL-encoded PEM, as x-forwarded-client-cert carries it. */
  readonly pem?: string;
}
