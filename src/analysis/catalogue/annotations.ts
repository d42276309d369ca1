import type { Message } from './message.ts';

const pod = (annotation: string): string => `apiVersion: v1
kind: Pod
metadata:
  name: reviews-1
  annotations:
    ${annotation}
spec:
  containers: [{name: app, image: reviews}]
`;

const namespace = (annotation: string): string => `apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels: {istio-injection: enabled}
  annotations:
    ${annotation}
`;

/** Annotations that Istio reads. */
export const annotations: readonly Message[] = [
  {
    code: 'IST0107',
    name: 'MisplacedAnnotation',
    level: 'Warning',
    args: ['annotation: string', 'kind: string'],
    template: 'the annotation {annotation} is for {kind}, not for this kind',
    summary: 'An annotation is on a kind of object that it is not for.',
    effect: 'It does nothing.',
    hint: 'Annotations for Pods belong to `spec.template.metadata` of a Deployment',
    wrong: namespace('sidecar.istio.io/proxyCPU: 100m'),
    right: pod('sidecar.istio.io/proxyCPU: 100m'),
  },
  {
    code: 'IST0108',
    name: 'UnknownAnnotation',
    level: 'Warning',
    args: ['annotation: string'],
    template: 'there is no annotation {annotation}',
    summary: 'An annotation looks like one of Istio’s and is none.',
    effect: 'It does nothing.',
    hint: 'Is it misspelt?',
    wrong: pod('sidecar.istio.io/proxyCpu: 100m'),
    right: pod('sidecar.istio.io/proxyCPU: 100m'),
  },
  {
    code: 'IST0125',
    name: 'InvalidAnnotation',
    level: 'Warning',
    args: ['annotation: string', 'problem: string'],
    template: 'the annotation {annotation} has a wrong value: {problem}',
    summary: 'An annotation has a value that cannot be used.',
    effect: 'The Pod is not injected, or the annotation is ignored.',
    wrong: pod('sidecar.istio.io/proxyCPU: much'),
    right: pod('sidecar.istio.io/proxyCPU: 100m'),
  },
  {
    code: 'IST0135',
    name: 'DeprecatedAnnotation',
    level: 'Info',
    args: ['annotation: string', 'extra: string'],
    template: 'the annotation {annotation} is deprecated{extra:; }',
    summary: 'An annotation is on its way out.',
    effect: 'It still works, and will not in a later version.',
    wrong: pod('sidecar.istio.io/inject: "true"'),
    right: pod('sidecar.istio.io/logLevel: info'),
  },
];
