/** Small pieces that Kubernetes' kinds share. Undeclared fields pass. */
import type { Static } from 'typebox';
import { list, open, string, stringMap, strings } from '../schema.ts';

export const ObjectReference = open('Another object.', {
  kind: string('Its kind.'),
  name: string('Its name.'),
  namespace: string('Its namespace.'),
  uid: string('Its UID.'),
});

export const KubernetesLabelSelector = open('Objects by their labels; all conditions must hold.', {
  matchLabels: stringMap('Labels that must be there.'),
  matchExpressions: list(
    open(
      'A condition on a label.',
      {
        key: string('Its key.'),
        operator: string('`In`, `NotIn`, `Exists` or `DoesNotExist`.'),
        values: strings('Values for `In` and `NotIn`.'),
      },
      { required: ['key', 'operator'] },
    ),
    'Conditions on labels.',
  ),
});

export type ObjectReference = Static<typeof ObjectReference>;
export type KubernetesLabelSelector = Static<typeof KubernetesLabelSelector>;
