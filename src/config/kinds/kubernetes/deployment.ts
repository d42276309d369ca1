import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { as, boolean, integer, open, struct } from '../schema.ts';
import { KubernetesLabelSelector } from './object-reference.ts';
import { PodTemplate } from './pod-spec.ts';

export const Deployment = open(
  'Pods that are replaced step by step when their template changes.',
  {
    replicas: integer('How many. Default: 1.', { minimum: 0 }),
    selector: as(KubernetesLabelSelector, 'Labels of its pods.'),
    template: PodTemplate,
    strategy: struct('How pods are replaced.'),
    minReadySeconds: integer('Seconds that a pod must be ready to count.'),
    paused: boolean('Replaces no pods. Default: false.'),
  },
  { required: ['selector', 'template'] },
);

export type Deployment = Static<typeof Deployment>;

export const deployment = defineKind({
  kind: 'Deployment',
  group: 'apps',
  versions: ['v1'],
  plural: 'deployments',
  shortNames: ['deploy'],
  scope: 'Namespaced',
  description: 'Keeps alike pods running.',
  payload: 'spec',
  schema: Deployment,
  unknownFields: 'allow',
});
