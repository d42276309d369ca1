import type { FieldPath, Position, Resource } from '../../config/resource.ts';
import { formatPath, originOf } from '../../config/resource.ts';

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

/** One port of a workload. */
export interface PortPosture {
  /** `Deployment shop/reviews-v1`. */
  readonly workload: string;
  readonly namespace: string;
  /** Where it listens; absent when no Service leads to it. */
  readonly port?: number;
  readonly protocol?: string;
  readonly services: readonly string[];
  readonly mtls: { readonly mode: 'STRICT' | 'PERMISSIVE' | 'DISABLE' | 'none'; readonly references: readonly Reference[] };
  /** What clients do: `automatic` unless a DestinationRule says otherwise. */
  readonly clients: { readonly mode: string; readonly conflict: boolean; readonly references: readonly Reference[] };
  readonly access: Access;
  readonly exposures: readonly Exposure[];
  /** 0 to 100, the sum of `points`. */
  readonly score: number;
  readonly points: readonly Points[];
}

export interface Posture {
  readonly ports: readonly PortPosture[];
}
