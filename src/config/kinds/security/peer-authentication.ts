import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { as, choice, map, message } from '../schema.ts';
import { WorkloadSelector } from '../selector.ts';

export const MutualTLS = message('Mutual TLS.', {
  mode: choice(
    ['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT'],
    'DISABLE: plain text only. PERMISSIVE: both. STRICT: mutual TLS only. UNSET, the default: as the next wider policy says, in the end PERMISSIVE.',
  ),
});

export const PeerAuthentication = message('Whether clients of some workloads must use mutual TLS.', {
  selector: as(WorkloadSelector, 'Workloads that this is for. Default: all of the namespace, or of the mesh in the root namespace.'),
  mtls: as(MutualTLS, 'Mutual TLS on all ports.'),
  portLevelMtls: map(MutualTLS, 'Mutual TLS by port of the workload. Needs `selector`.', {
    minProperties: 1,
    propertyNames: { pattern: '^[0-9]{1,5}$' },
  }),
});

export type MutualTLS = Static<typeof MutualTLS>;
export type PeerAuthentication = Static<typeof PeerAuthentication>;

export const peerAuthentication = defineKind({
  kind: 'PeerAuthentication',
  group: 'security.istio.io',
  versions: ['v1', 'v1beta1'],
  plural: 'peerauthentications',
  shortNames: ['pa'],
  scope: 'Namespaced',
  description: 'Says whether clients of workloads must use mutual TLS.',
  payload: 'spec',
  schema: PeerAuthentication,
  unknownFields: 'refuse',
});
