import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { as, boolean, integer, open } from '../schema.ts';
import { KubernetesLabelSelector } from './object-reference.ts';
import { PodTemplate } from './pod-spec.ts';

export const Job = open(
  'Pods that end.',
  {
    template: PodTemplate,
    selector: as(KubernetesLabelSelector, 'Labels of its pods.'),
    parallelism: integer('How many run at once. Default: 1.'),
    completions: integer('How many must succeed.'),
    backoffLimit: integer('How many may fail. Default: 6.'),
    activeDeadlineSeconds: integer('Seconds that it may take.'),
    ttlSecondsAfterFinished: integer('Seconds after its end when it is removed.'),
    suspend: boolean('Starts no pods. Default: false.'),
  },
  { required: ['template'] },
);

export type Job = Static<typeof Job>;

export const job = defineKind({
  kind: 'Job',
  group: 'batch',
  versions: ['v1'],
  plural: 'jobs',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Runs pods to their end.',
  payload: 'spec',
  schema: Job,
  unknownFields: 'allow',
});
