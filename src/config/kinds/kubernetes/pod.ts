import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { PodSpec } from './pod-spec.ts';

export const Pod = PodSpec;

export type Pod = Static<typeof Pod>;

export const pod = defineKind({
  kind: 'Pod',
  group: '',
  versions: ['v1'],
  plural: 'pods',
  shortNames: ['po'],
  scope: 'Namespaced',
  description: 'Containers that run together on a node; a workload of the mesh.',
  payload: 'spec',
  schema: Pod,
  unknownFields: 'allow',
});
