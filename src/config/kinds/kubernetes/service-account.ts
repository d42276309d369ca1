import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { boolean, list, open, string } from '../schema.ts';
import { ObjectReference } from './object-reference.ts';

export const ServiceAccount = open('A service account: the identity of workloads.', {
  secrets: list(ObjectReference, 'Secrets that its pods may use.'),
  imagePullSecrets: list(open('A Secret.', { name: string('Its name.') }), 'Secrets with credentials for registries.'),
  automountServiceAccountToken: boolean('Mounts a token in its pods. Default: true.'),
});

export type ServiceAccount = Static<typeof ServiceAccount>;

export const serviceAccount = defineKind({
  kind: 'ServiceAccount',
  group: '',
  versions: ['v1'],
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  scope: 'Namespaced',
  description: 'The identity that workloads run as.',
  payload: 'object',
  schema: ServiceAccount,
  unknownFields: 'allow',
});
