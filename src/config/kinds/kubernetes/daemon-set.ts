import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { as, integer, open } from '../schema.ts';
import { KubernetesLabelSelector } from './object-reference.ts';
import { PodTemplate } from './pod-spec.ts';

export const DaemonSet = open(
  'A pod on each node.',
  {
    selector: as(KubernetesLabelSelector, 'Labels of its pods.'),
    template: PodTemplate,
    minReadySeconds: integer('Seconds that a pod must be ready to count.'),
  },
  { required: ['selector', 'template'] },
);

export type DaemonSet = Static<typeof DaemonSet>;

export const daemonSet = defineKind({
  kind: 'DaemonSet',
  group: 'apps',
  versions: ['v1'],
  plural: 'daemonsets',
  shortNames: ['ds'],
  scope: 'Namespaced',
  description: 'Keeps a pod running on each node.',
  payload: 'spec',
  schema: DaemonSet,
  unknownFields: 'allow',
});
