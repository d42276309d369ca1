import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { boolean, choice, list, open, string, strings, struct } from '../schema.ts';

export const CustomResourceDefinition = open(
  'A kind that Kubernetes is taught.',
  {
    group: string('Its API group.'),
    names: open(
      'Its names.',
      {
        kind: string('The kind.'),
        plural: string('Plural, in lower case.'),
        singular: string('Singular, in lower case.'),
        listKind: string('Kind of lists.'),
        shortNames: strings('Short names.'),
        categories: strings('Groups of kinds that it is shown with.'),
      },
      { required: ['kind', 'plural'] },
    ),
    scope: choice(['Namespaced', 'Cluster'], 'Whether its objects belong to namespaces.'),
    versions: list(
      open(
        'A version.',
        {
          name: string('Its name.'),
          served: boolean('Can be used.'),
          storage: boolean('Is the one that is stored.'),
          deprecated: boolean('Gives a warning. Default: false.'),
          deprecationWarning: string('The warning.'),
          schema: struct('What its objects look like.'),
          subresources: struct('Its subresources, such as `status`.'),
        },
        { required: ['name', 'served', 'storage'] },
      ),
      'Its versions.',
    ),
    conversion: struct('How versions become each other.'),
  },
  { required: ['group', 'names', 'scope', 'versions'] },
);

export type CustomResourceDefinition = Static<typeof CustomResourceDefinition>;

export const customResourceDefinition = defineKind({
  kind: 'CustomResourceDefinition',
  group: 'apiextensions.k8s.io',
  versions: ['v1'],
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  scope: 'Cluster',
  description: 'A kind that Kubernetes is taught; read for which versions a cluster serves.',
  payload: 'spec',
  schema: CustomResourceDefinition,
  unknownFields: 'allow',
});
