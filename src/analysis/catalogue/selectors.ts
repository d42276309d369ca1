import type { Message } from './message.ts';

const sidecar = (name: string, selector: string): string => `apiVersion: networking.istio.io/v1
kind: Sidecar
metadata:
  name: ${name}
  namespace: shop
spec:
${selector === '' ? '' : `  workloadSelector:\n    labels: {${selector}}\n`}  egress:
    - hosts: ["./*"]
`;

const telemetry = (name: string, selector: string, log = '{providers: [{name: envoy}]}'): string => `apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata:
  name: ${name}
  namespace: shop
spec:
${selector === '' ? '' : `  selector:\n    matchLabels: {${selector}}\n`}  accessLogging: [${log}]
`;

const pod = (name: string, labels: string, annotations = ''): string => `---
apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  namespace: shop
  labels: {${labels}}
  annotations: {${annotations}}
spec:
  containers: [{name: app, image: app}]
`;

const both = `${pod('reviews-1', 'app: reviews, tier: web')}${pod('ratings-1', 'app: ratings')}`;
const ambient = 'ambient.istio.io/redirection: enabled';

/** Sidecars and Telemetries, of which a workload has one each. */
export const selectors: readonly Message[] = [
  {
    code: 'IST0110',
    name: 'ConflictingSidecarWorkloadSelectors',
    level: 'Error',
    args: ['conflictingSidecars: []string', 'namespace: string', 'workloadPod: string'],
    template: 'the Sidecars {conflictingSidecars} in namespace {namespace} all select {workloadPod}',
    summary: 'Several Sidecars select the same workload.',
    effect: 'One of them is used; which one is not defined.',
    hint: 'Let each workload be selected by one Sidecar',
    wrong: `${sidecar('a', 'app: reviews')}---\n${sidecar('b', 'tier: web')}${both}`,
    right: `${sidecar('a', 'app: reviews')}---\n${sidecar('b', 'app: ratings')}${both}`,
  },
  {
    code: 'IST0111',
    name: 'MultipleSidecarsWithoutWorkloadSelectors',
    level: 'Error',
    args: ['conflictingSidecars: []string', 'namespace: string'],
    template: 'the Sidecars {conflictingSidecars} are all for the whole namespace {namespace}',
    summary: 'Several Sidecars of a namespace have no selector.',
    effect: 'One of them is used; which one is not defined.',
    hint: 'Keep one, or give the others a `workloadSelector`',
    wrong: `${sidecar('a', '')}---\n${sidecar('b', '')}`,
    right: `${sidecar('a', '')}---\n${sidecar('b', 'app: ratings')}${both}`,
  },
  {
    code: 'IST0167',
    name: 'IneffectivePolicy',
    level: 'Warning',
    args: ['reason: string'],
    template: 'the Sidecar does nothing: {reason}',
    summary: 'A Sidecar is for workloads in ambient mode.',
    effect: 'It does nothing: there are no sidecars.',
    hint: 'Remove it',
    wrong: `${sidecar('a', 'app: reviews')}${pod('reviews-1', 'app: reviews', ambient)}`,
    right: `${sidecar('a', 'app: reviews')}${pod('reviews-1', 'app: reviews')}`,
  },
  {
    code: 'IST0157',
    name: 'InvalidTelemetryProvider',
    level: 'Warning',
    args: ['name: string', 'namespace: string'],
    template: 'Telemetry {name} in namespace {namespace} turns access logs on and says not where they go',
    summary: 'Access logs have no provider, and the mesh has no default one.',
    effect: 'Nothing is logged.',
    hint: 'Add `providers`, or `defaultProviders.accessLogging` to the mesh’s settings',
    wrong: telemetry('a', '', '{disabled: false}'),
    right: telemetry('a', '', '{providers: [{name: envoy}]}'),
  },
  {
    code: 'IST0159',
    name: 'ConflictingTelemetryWorkloadSelectors',
    level: 'Error',
    args: ['conflictingTelemetries: []string', 'namespace: string', 'workloadPod: string'],
    template: 'the Telemetries {conflictingTelemetries} in namespace {namespace} all select {workloadPod}',
    summary: 'Several Telemetries select the same workload.',
    effect: 'The oldest is used; the others are silently left out.',
    hint: 'Merge them',
    wrong: `${telemetry('a', 'app: reviews')}---\n${telemetry('b', 'tier: web')}${both}`,
    right: `${telemetry('a', 'app: reviews')}---\n${telemetry('b', 'app: ratings')}${both}`,
  },
  {
    code: 'IST0160',
    name: 'MultipleTelemetriesWithoutWorkloadSelectors',
    level: 'Error',
    args: ['conflictingTelemetries: []string', 'namespace: string'],
    template: 'the Telemetries {conflictingTelemetries} are all for the whole namespace {namespace}',
    summary: 'Several Telemetries of a namespace have no selector.',
    effect: 'The oldest is used; the others are silently left out.',
    hint: 'Merge them',
    wrong: `${telemetry('a', '')}---\n${telemetry('b', '')}`,
    right: `${telemetry('a', '')}---\n${telemetry('b', 'app: ratings')}${both}`,
  },
];
