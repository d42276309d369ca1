import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { as, list, message, string, stringMap, strings } from '../schema.ts';
import { WorkloadSelector } from '../selector.ts';
import { TrafficPolicy } from './traffic-policy.ts';

export const Subset = message(
  'Some of the endpoints of a service, such as one version.',
  {
    name: string('Name by which routes refer to the subset.'),
    labels: stringMap('Labels that the endpoints carry. Default: all endpoints.'),
    trafficPolicy: as(TrafficPolicy, 'How the subset is called. What is left out is as for the whole service.'),
  },
  { required: ['name'] },
);

export const DestinationRule = message(
  'How a service is called, and which subsets it has.',
  {
    host: string(
      "The service's name, or a wildcard such as `*.example.com`. A name without dots belongs to the namespace of the DestinationRule.",
    ),
    trafficPolicy: TrafficPolicy,
    subsets: list(Subset, 'Named parts of the service.'),
    exportTo: strings(
      "Namespaces whose clients use the rule: names, `.` for its own, `*` for all. Default: the mesh's `defaultDestinationRuleExportTo`.",
    ),
    workloadSelector: as(WorkloadSelector, 'Clients of the same namespace that the rule is for. Default: all clients.'),
  },
  { required: ['host'] },
);

export type Subset = Static<typeof Subset>;
export type DestinationRule = Static<typeof DestinationRule>;

export const destinationRule = defineKind({
  kind: 'DestinationRule',
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  plural: 'destinationrules',
  shortNames: ['dr'],
  scope: 'Namespaced',
  description: 'Says how a service is called: load balancing, limits, outlier detection, TLS; and names its subsets.',
  payload: 'spec',
  schema: DestinationRule,
  unknownFields: 'refuse',
});
