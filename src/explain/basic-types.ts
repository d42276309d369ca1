/** What requests and explanations have in common with what they are made of. */

/** Which resource wrote something, and where. */
export interface Origin {
  /** `VirtualService`. */
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** `/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews`, Istio's own name of it. */
  readonly config?: string;
  /** Inside its spec: `http[0].match[1]`. */
  readonly field?: string;
  /** 1-based; only where the sources are at hand. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** A policy of authentication or authorization that decided. */
export interface DecidingPolicy {
  readonly kind: 'AuthorizationPolicy' | 'PeerAuthentication';
  readonly name: string;
  /** Empty where only Envoy's name is known. */
  readonly namespace: string;
  /** `ALLOW`, `DENY`, `AUDIT`, `CUSTOM`; the mode of a PeerAuthentication. */
  readonly action: string;
  /** From 0; absent when no single rule decided. */
  readonly rule?: number;
  readonly origin?: Origin;
}

/** The names in a client's certificate, whose issuer is taken to be trusted. */
export interface ClientIdentity {
  /** SPIFFE IDs: `spiffe://cluster.local/ns/shop/sa/web`. */
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** RFC 2253. */
  readonly subject?: string;
}

/** What nobody can know from configuration alone, for requests and connections. */
export interface SecurityFacts {
  /** The certificate that the client shows when it is asked for one in TLS. */
  readonly client?: ClientIdentity;
  /** Speak TLS, although the URL or connection does not say so. */
  readonly tls?: boolean;
  /** What external authorization answers; it is taken to allow when nothing is said. */
  readonly extAuthz?: 'allow' | 'deny';
}
