import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { as, integer, open, string } from '../schema.ts';
import { KubernetesLabelSelector } from './object-reference.ts';
import { PodTemplate } from './pod-spec.ts';

export const StatefulSet = open(
  'Pods with names and volumes of their own.',
  {
    replicas: integer('How many. Default: 1.', { minimum: 0 }),
    selector: as(KubernetesLabelSelector, 'Labels of its pods.'),
    serviceName: string('Headless service that gives the pods DNS names.'),
    template: PodTemplate,
    podManagementPolicy: string('`OrderedReady` (the default) or `Parallel`.'),
  },
  { required: ['selector', 'template'] },
);

export type StatefulSet = Static<typeof StatefulSet>;

export const statefulSet = defineKind({
  kind: 'StatefulSet',
  group: 'apps',
  versions: ['v1'],
  plural: 'statefulsets',
  shortNames: ['sts'],
  scope: 'Namespaced',
  description: 'Keeps pods running that have names and volumes of their own.',
  payload: 'spec',
  schema: StatefulSet,
  unknownFields: 'allow',
});
