/** Fields of admission webhooks. */
import type { Static } from 'typebox';
import { as, integer, list, open, port, string, strings } from '../schema.ts';
import { KubernetesLabelSelector } from './object-reference.ts';

export const webhookFields = {
  name: string('Its name, a DNS name.'),
  clientConfig: open('How it is called.', {
    url: string('URL of the webhook; either this or `service`.'),
    service: open(
      'Service of the webhook.',
      {
        namespace: string('Its namespace.'),
        name: string('Its name.'),
        path: string('Path of requests.'),
        port: port('Its port. Default: 443.'),
      },
      { required: ['namespace', 'name'] },
    ),
    caBundle: string('CA certificates that it is checked against: PEM as base64.'),
  }),
  rules: list(
    open('Some requests.', {
      operations: strings('`CREATE`, `UPDATE`, `DELETE`, `CONNECT` or `*`.'),
      apiGroups: strings('API groups, `*` for all.'),
      apiVersions: strings('Versions, `*` for all.'),
      resources: strings('Plural names, `*` for all.'),
      scope: string('`Cluster`, `Namespaced` or `*`, the default.'),
    }),
    'Requests that it is asked about.',
  ),
  failurePolicy: string('What becomes of requests when it fails: `Fail` (the default) or `Ignore`.'),
  matchPolicy: string('`Equivalent` (the default) or `Exact`.'),
  namespaceSelector: as(KubernetesLabelSelector, 'Namespaces that it is asked about. Default: all.'),
  objectSelector: as(KubernetesLabelSelector, 'Objects that it is asked about. Default: all.'),
  sideEffects: string('Whether it changes anything else: `None`, `NoneOnDryRun`, …'),
  timeoutSeconds: integer('Seconds that it may take. Default: 10.', { minimum: 1, maximum: 30 }),
  admissionReviewVersions: strings('Versions of AdmissionReview that it takes.'),
  matchConditions: list(
    open('A condition.', { name: string('Its name.'), expression: string('A CEL expression.') }),
    'Further conditions, all of which must hold.',
  ),
};

export const ValidatingWebhook = open('A webhook that accepts or refuses.', webhookFields, { required: ['name'] });

export const MutatingWebhook = open(
  'A webhook that changes objects.',
  { ...webhookFields, reinvocationPolicy: string('Asked again when others changed the object: `Never` (the default) or `IfNeeded`.') },
  { required: ['name'] },
);

export type ValidatingWebhook = Static<typeof ValidatingWebhook>;
export type MutatingWebhook = Static<typeof MutatingWebhook>;
