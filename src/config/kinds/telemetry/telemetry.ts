import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { boolean, choice, duration, list, map, message, string } from '../schema.ts';
import { PolicyTargetReference, policyTarget, targetOrSelector } from '../selector.ts';
import { ProviderRef, TelemetryTracing, workloadMode } from './telemetry-tracing.ts';

export const MetricSelector = message(
  'Which metrics.',
  {
    metric: choice(
      [
        'ALL_METRICS',
        'REQUEST_COUNT',
        'REQUEST_DURATION',
        'REQUEST_SIZE',
        'RESPONSE_SIZE',
        'TCP_OPENED_CONNECTIONS',
        'TCP_CLOSED_CONNECTIONS',
        'TCP_SENT_BYTES',
        'TCP_RECEIVED_BYTES',
        'GRPC_REQUEST_MESSAGES',
        'GRPC_RESPONSE_MESSAGES',
      ],
      "One of the mesh's own metrics. Default: ALL_METRICS.",
    ),
    customMetric: string('Any other metric, by name.', { minLength: 1 }),
    mode: workloadMode,
  },
  { oneOf: [['metric', 'customMetric']] },
);

export const TagOverride = message('A change to a tag.', {
  operation: choice(['UPSERT', 'REMOVE'], 'UPSERT, the default: sets it to `value`. REMOVE: leaves it out.'),
  value: string('UPSERT: a CEL expression over attributes, or a text in quotes.'),
});

export const MetricsOverrides = message('A change to some metrics.', {
  match: MetricSelector,
  disabled: boolean('Turns them off. Default: false.'),
  tagOverrides: map(TagOverride, 'Changes to their tags, by name.'),
});

export const Metrics = message('Which metrics there are.', {
  providers: list(ProviderRef, 'Where they go. Default: those of the wider policy, or of the mesh.'),
  overrides: list(MetricsOverrides, 'Changes to single metrics, in order.'),
  reportingInterval: duration('How often metrics of TCP connections are brought up to date while they are open. Default: 5s.'),
});

export const AccessLogging = message('Which access logs there are.', {
  match: message('Which requests.', { mode: workloadMode }),
  providers: list(ProviderRef, 'Where entries go. Default: those of the wider policy, or of the mesh.'),
  disabled: boolean('Turns them off. Default: false.'),
  filter: message('Which requests are logged.', {
    expression: string('A CEL expression that is true for them, such as `response.code >= 400`.'),
  }),
});

export const Telemetry = message(
  'Metrics, traces and access logs of some workloads.',
  {
    ...policyTarget,
    targetRef: PolicyTargetReference,
    tracing: list(TelemetryTracing, 'Traces; one entry at most.'),
    metrics: list(Metrics, 'Metrics.'),
    accessLogging: list(AccessLogging, 'Access logs.'),
  },
  targetOrSelector,
);

export type MetricsOverrides = Static<typeof MetricsOverrides>;
export type Metrics = Static<typeof Metrics>;
export type AccessLogging = Static<typeof AccessLogging>;
export type Telemetry = Static<typeof Telemetry>;

export const telemetry = defineKind({
  kind: 'Telemetry',
  group: 'telemetry.istio.io',
  versions: ['v1', 'v1alpha1'],
  plural: 'telemetries',
  shortNames: ['telemetry'],
  scope: 'Namespaced',
  description: 'Says which metrics, traces and access logs workloads give, and where they go.',
  payload: 'spec',
  schema: Telemetry,
  unknownFields: 'refuse',
});
