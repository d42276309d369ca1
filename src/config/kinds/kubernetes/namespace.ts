import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { open, strings } from '../schema.ts';

export const Namespace = open('A namespace. What a mesh reads of it are its labels and annotations.', {
  finalizers: strings('Who must be done before it goes away.'),
});

export type Namespace = Static<typeof Namespace>;

export const namespace = defineKind({
  kind: 'Namespace',
  group: '',
  versions: ['v1'],
  plural: 'namespaces',
  shortNames: ['ns'],
  scope: 'Cluster',
  description: 'A part of the mesh whose names and policies are its own.',
  payload: 'spec',
  schema: Namespace,
  unknownFields: 'allow',
});
