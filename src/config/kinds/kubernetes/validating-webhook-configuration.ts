import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { list, open } from '../schema.ts';
import { ValidatingWebhook } from './webhook.ts';

export const ValidatingWebhookConfiguration = open('Webhooks that accept or refuse objects.', {
  webhooks: list(ValidatingWebhook, 'The webhooks.'),
});

export type ValidatingWebhookConfiguration = Static<typeof ValidatingWebhookConfiguration>;

export const validatingWebhookConfiguration = defineKind({
  kind: 'ValidatingWebhookConfiguration',
  group: 'admissionregistration.k8s.io',
  versions: ['v1'],
  plural: 'validatingwebhookconfigurations',
  shortNames: [],
  scope: 'Cluster',
  description: 'Webhooks that accept or refuse objects.',
  payload: 'object',
  schema: ValidatingWebhookConfiguration,
  unknownFields: 'allow',
});
