import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { list, message, string } from '../schema.ts';

export const ReferenceGrant = message(
  'Lets objects of other namespaces refer to objects of this one.',
  {
    from: list(
      message(
        'Objects that may refer.',
        { group: string('Their API group.'), kind: string('Their kind.'), namespace: string('Their namespace.') },
        { required: ['group', 'kind', 'namespace'] },
      ),
      'Who may refer.',
      { minItems: 1, maxItems: 16 },
    ),
    to: list(
      message(
        'Objects that may be referred to.',
        { group: string('Their API group.'), kind: string('Their kind.'), name: string('Name. Default: all.') },
        { required: ['group', 'kind'] },
      ),
      'What may be referred to.',
      { minItems: 1, maxItems: 16 },
    ),
  },
  { required: ['from', 'to'] },
);

export type ReferenceGrant = Static<typeof ReferenceGrant>;

export const referenceGrant = defineKind({
  kind: 'ReferenceGrant',
  group: 'gateway.networking.k8s.io',
  versions: ['v1', 'v1beta1'],
  plural: 'referencegrants',
  shortNames: ['refgrant'],
  scope: 'Namespaced',
  description: 'Lets objects of other namespaces refer to objects of this one.',
  payload: 'spec',
  schema: ReferenceGrant,
  unknownFields: 'refuse',
});
