import type { Static } from 'typebox';
import { boolean, choice, double, list, map, message, string } from '../schema.ts';

const notEmpty = { minLength: 1 };

export const ProviderRef = message(
  "One of the mesh's `extensionProviders`, or a built-in one.",
  { name: string('Its name.', notEmpty) },
  { required: ['name'] },
);

export const workloadMode = choice(
  ['CLIENT_AND_SERVER', 'CLIENT', 'SERVER'],
  'CLIENT: requests that workloads send. SERVER: requests that they receive. CLIENT_AND_SERVER, the default: both.',
);

export const TracingCustomTag = message(
  'The value of a tag, from one of these places.',
  {
    literal: message('A fixed value.', { value: string('The value.', notEmpty) }, { required: ['value'] }),
    environment: message(
      'An environment variable of the proxy.',
      { name: string('Its name.', notEmpty), defaultValue: string('The value without it. Default: no tag.') },
      { required: ['name'] },
    ),
    header: message(
      'A header of the request.',
      { name: string('Its name.', notEmpty), defaultValue: string('The value without it. Default: no tag.') },
      { required: ['name'] },
    ),
    formatter: message(
      "Envoy's access log variables.",
      { value: string('Text with variables such as `%REQ(x-user)%`.', notEmpty) },
      { required: ['value'] },
    ),
  },
  { oneOf: [['literal', 'environment', 'header', 'formatter']] },
);

export const TelemetryTracing = message('What is traced, and where spans go.', {
  match: message('Which requests.', { mode: workloadMode }),
  providers: list(ProviderRef, 'Where spans go; one at most. Default: that of the wider policy, or of the mesh.'),
  randomSamplingPercentage: double(
    'Share of requests that are traced when the client does not say, in percent. Default: that of the wider policy, or 1.',
    { minimum: 0, maximum: 100 },
  ),
  disableSpanReporting: boolean('Sends no spans; trace ids still travel. Default: false.'),
  customTags: map(TracingCustomTag, 'Further tags of every span, by name.'),
  useRequestIdForTraceSampling: boolean('Keeps the decision to trace in x-request-id, so that others take the same. Default: true.'),
  enableIstioTags: boolean('Adds the tags `istio.*` to spans. Default: true.'),
  disableContextPropagation: boolean('Sends no trace headers on. Default: false.'),
});

export type TelemetryTracing = Static<typeof TelemetryTracing>;
