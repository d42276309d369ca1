import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { as, integer, open } from '../schema.ts';
import { KubernetesLabelSelector } from './object-reference.ts';
import { PodTemplate } from './pod-spec.ts';

export const ReplicaSet = open(
  'Alike pods; mostly made by a Deployment.',
  {
    replicas: integer('How many. Default: 1.', { minimum: 0 }),
    selector: as(KubernetesLabelSelector, 'Labels of its pods.'),
    template: PodTemplate,
  },
  { required: ['selector'] },
);

export type ReplicaSet = Static<typeof ReplicaSet>;

export const replicaSet = defineKind({
  kind: 'ReplicaSet',
  group: 'apps',
  versions: ['v1'],
  plural: 'replicasets',
  shortNames: ['rs'],
  scope: 'Namespaced',
  description: 'Keeps alike pods running; mostly made by a Deployment.',
  payload: 'spec',
  schema: ReplicaSet,
  unknownFields: 'allow',
});
