import type { FieldPath, Position, Resource } from '../../config/resource.ts';
import { formatPath, originOf } from '../../config/resource.ts';
import type { MtlsMode } from '../../mesh/security/peer-authentication.ts';

/** A place that is a reason for something: its JSON as well. */
export interface Reference {
  /** `PeerAuthentication shop/default`. */
  readonly origin: string;
  readonly position: Position;
  readonly path: string;
}

/** The place of a field. */
export function referenceTo(resource: Resource, at: FieldPath): Reference {
  return { origin: originOf(resource), position: resource.source.positionOf(at), path: formatPath(at) };
}

/** Points of one part of a score, and why they are as many. */
export interface Points {
  readonly part: 'mutual TLS' | 'callers' | 'exposure';
  readonly points: number;
  readonly of: number;
  readonly reason: string;
  readonly references: readonly Reference[];
}

/** Who may call, in the narrowest sense that is certain. */
export interface Access {
  readonly callers: 'everyone' | 'some' | 'nobody';
  /** Restricted by who the client is: identity, namespace, service account or token. */
  readonly byIdentity: boolean;
  /** `cluster.local/ns/web/sa/front`, `namespace web`, `GET /api`; for `some` only. */
  readonly who: readonly string[];
  readonly references: readonly Reference[];
}

/** A way in from outside of the mesh. */
export interface Exposure {
  /** `gateway`: through a Gateway's proxy; `service`: the Service itself has an address outside. */
  readonly by: 'gateway' | 'service';
  readonly tls: boolean;
  readonly hosts: readonly string[];
  readonly references: readonly Reference[];
}

/**
 * What a port really takes. `none`: the workload has no proxy. `unguarded`: it has one, and calls go past it, as nothing intercepts them
 * and no Sidecar's ingress has the port; no policy holds there.
 */
export type MtlsInForce = MtlsMode | 'none' | 'unguarded';

/** Whether anything carries out policies there. */
export const isGuarded = (mode: MtlsInForce): boolean => mode !== 'none' && mode !== 'unguarded';

/** One port of a workload. */
export interface PortPosture {
  /** `Deployment shop/reviews-v1`. */
  readonly workload: string;
  readonly namespace: string;
  /** Where it listens; absent when no Service leads to it. */
  readonly port?: number;
  readonly protocol?: string;
  readonly services: readonly string[];
  /** `spiffe://cluster.local/ns/shop/sa/reviews`; absent without a proxy, which would prove it. */
  readonly identity?: string;
  readonly mtls: { readonly mode: MtlsInForce; readonly references: readonly Reference[] };
  /** What clients do: `automatic` unless a DestinationRule says otherwise. */
  readonly clients: {
    readonly mode: string;
    /** What they do is refused: their calls fail. */
    readonly conflict: boolean;
    /** Why they speak plain text where they choose by themselves; for a conflict only. */
    readonly why?: string;
    readonly references: readonly Reference[];
  };
  readonly access: Access;
  readonly exposures: readonly Exposure[];
  /** 0 to 100, the sum of `points`. */
  readonly score: number;
  readonly points: readonly Points[];
}

/** A workload that no service leads to, and whose proxy takes nothing: it calls others. */
export interface ClientOnly {
  readonly workload: string;
  readonly namespace: string;
  readonly identity: string;
}

export interface Posture {
  /** The weakest first. */
  readonly ports: readonly PortPosture[];
  readonly clientsOnly: readonly ClientOnly[];
}
