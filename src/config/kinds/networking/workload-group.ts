import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { as, message, stringMap } from '../schema.ts';
import { ReadinessProbe } from './readiness-probe.ts';
import { WorkloadEntry } from './workload-entry.ts';

export const WorkloadGroup = message(
  'What the WorkloadEntries of alike workloads have in common.',
  {
    metadata: message('Metadata of the WorkloadEntries.', {
      labels: stringMap('Their labels.', { maxProperties: 256 }),
      annotations: stringMap('Their annotations.', { maxProperties: 256 }),
    }),
    template: as(WorkloadEntry, 'The WorkloadEntries, less the address.'),
    probe: ReadinessProbe,
  },
  { required: ['template'] },
);

export type WorkloadGroup = Static<typeof WorkloadGroup>;

export const workloadGroup = defineKind({
  kind: 'WorkloadGroup',
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  plural: 'workloadgroups',
  shortNames: ['wg'],
  scope: 'Namespaced',
  description: 'A template for WorkloadEntries of alike workloads outside of Kubernetes, with a health check.',
  payload: 'spec',
  schema: WorkloadGroup,
  unknownFields: 'refuse',
});
