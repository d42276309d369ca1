import { canonicalRevision, canonicalService } from '../../mesh/canonical.ts';
import { CLUSTER_ID } from '../../mesh/locality.ts';

/** A workload as metrics' labels show it. */
export interface Peer {
  readonly workload: string;
  readonly namespace: string;
  readonly principal: string;
  readonly app: string;
  readonly version: string;
  readonly canonicalService: string;
  readonly canonicalRevision: string;
  readonly cluster: string;
}

export const UNKNOWN = 'unknown';

/** Istio's word for what is not known of a peer. */
export const UNKNOWN_PEER: Peer = {
  workload: UNKNOWN,
  namespace: UNKNOWN,
  principal: UNKNOWN,
  app: UNKNOWN,
  version: UNKNOWN,
  canonicalService: UNKNOWN,
  canonicalRevision: 'latest',
  cluster: UNKNOWN,
};

/** A workload that is known by its labels. */
export function peerOf(name: string, namespace: string, labels: Readonly<Record<string, string>>): Peer {
  return {
    workload: name || UNKNOWN,
    namespace: namespace || UNKNOWN,
    principal: UNKNOWN,
    app: labels['app'] || UNKNOWN,
    version: labels['version'] || UNKNOWN,
    canonicalService: canonicalService(labels, name) || UNKNOWN,
    canonicalRevision: canonicalRevision(labels),
    cluster: CLUSTER_ID,
  };
}
