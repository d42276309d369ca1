import type { Resource } from '../../config/resource.ts';
import type { Labels } from '../../mesh/labels.ts';
import type { Protocol } from '../../mesh/types.ts';
import type { PortPosture, Reference } from './types.ts';

/** A workload whose posture is asked for. */
export interface Subject {
  readonly resource: Resource;
  readonly namespace: string;
  readonly labels: Labels;
  /** `spiffe://…`; undefined for one without a proxy, which has nothing to prove it with. */
  readonly identity: string | undefined;
  /** None: nobody is led to it, it calls others only. */
  readonly ports: readonly SubjectPort[];
}

/** Where a workload listens. */
export interface SubjectPort {
  /** undefined: wherever it does, as no service leads to it. */
  readonly target: number | undefined;
  readonly protocol: Protocol | undefined;
  /** The services that lead here, by the port that clients name. */
  readonly services: readonly { readonly resource: Resource; readonly name: string; readonly port: number }[];
  readonly mtls: PortPosture['mtls'];
  /** Why clients that choose by themselves speak plain text to it; undefined when they use mutual TLS. */
  readonly plainClients: { readonly why: string; readonly reference: Reference } | undefined;
}
