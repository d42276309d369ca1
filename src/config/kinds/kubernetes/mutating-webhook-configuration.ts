import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { list, open } from '../schema.ts';
import { MutatingWebhook } from './webhook.ts';

export const MutatingWebhookConfiguration = open('Webhooks that change objects, such as the injector of sidecars.', {
  webhooks: list(MutatingWebhook, 'The webhooks.'),
});

export type MutatingWebhookConfiguration = Static<typeof MutatingWebhookConfiguration>;

export const mutatingWebhookConfiguration = defineKind({
  kind: 'MutatingWebhookConfiguration',
  group: 'admissionregistration.k8s.io',
  versions: ['v1'],
  plural: 'mutatingwebhookconfigurations',
  shortNames: [],
  scope: 'Cluster',
  description: 'Webhooks that change objects, such as the injector of sidecars.',
  payload: 'object',
  schema: MutatingWebhookConfiguration,
  unknownFields: 'allow',
});
