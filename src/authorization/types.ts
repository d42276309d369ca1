/** What authorization rules look at, and what they say. */
import type { PeerCertificate } from '../routing/peer-certificate.ts';

/** The connection that asks. */
export interface AuthorizationConnection {
  /** It is TLS. Without it no rule about authenticated peers holds. */
  readonly tls: boolean;
  /** The validated client certificate; undefined: none was shown. */
  readonly peer: PeerCertificate | undefined;
  /** The other end of the socket itself, without port. */
  readonly directRemoteIp: string;
  /** The client by the PROXY protocol; the same as `directRemoteIp` without it. */
  readonly sourceIp: string;
  /** The client as far as it is trusted: x-forwarded-for counts for requests. */
  readonly remoteIp: string;
  readonly destinationIp: string;
  readonly destinationPort: number;
  /** Requested server name; empty without one. */
  readonly sni: string;
}

/** The request that asks; a RouteRequest is one. */
export interface AuthorizationRequest {
  header(name: string): string | undefined;
  headerValues(name: string): readonly string[];
  /** The normalized path without query and fragment. */
  readonly pathOnly: string;
}

export interface AuthorizationInput {
  readonly connection: AuthorizationConnection;
  /** Undefined for TCP connections: rules about requests do not hold of them. */
  readonly request?: AuthorizationRequest | undefined;
  /** Dynamic metadata by filter name. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  /** The chosen route's metadata by filter name; undefined: no route was chosen. */
  readonly routeMetadata?: Readonly<Record<string, unknown>> | undefined;
}

/** What one set of rules says of one input. */
export interface AuthorizationDecision {
  readonly allowed: boolean;
  /** The policy that matched, first by name; undefined when none did. */
  readonly policy: string | undefined;
}

/** One compiled `envoy.config.rbac.v3.RBAC`. */
export interface CompiledRbac {
  readonly action: 'ALLOW' | 'DENY' | 'LOG';
  /** Pure. With LOG everything is allowed, and `policy` is what would be logged. */
  decide(input: AuthorizationInput): AuthorizationDecision;
}
