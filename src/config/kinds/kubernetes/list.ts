import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { list, open, struct } from '../schema.ts';

export const List = open('Several objects in one, as `kubectl get -o yaml` prints them.', {
  items: list(struct('An object.'), 'The objects.'),
});

export type List = Static<typeof List>;

export const kubernetesList = defineKind({
  kind: 'List',
  group: '',
  versions: ['v1'],
  plural: 'lists',
  shortNames: [],
  scope: 'Cluster',
  description: 'Several objects in one.',
  payload: 'object',
  schema: List,
  unknownFields: 'allow',
});
