import type { Message } from './message.ts';

const service = (more: string): string => `apiVersion: v1
kind: Service
metadata:
  name: reviews
spec:
  ports: [{name: http, port: 80}]
${more}`;

const rule = (body: string): string => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
spec:
  host: api.example.com
  trafficPolicy:
    ${body}
`;

/** What keeps input from being analyzed: never skipped in silence. */
export const input: readonly Message[] = [
  {
    code: 'FL0001',
    name: 'UnreadableInput',
    level: 'Error',
    args: ['problem: string'],
    template: '{problem}',
    summary: 'A file, or a document of it, cannot be read.',
    effect: 'It is not applied; everything else is analyzed.',
    wrong: `${service('')}---\nkind: [\n`,
    right: service(''),
  },
  {
    code: 'FL0002',
    name: 'InvalidField',
    level: 'Error',
    args: ['problem: string'],
    template: '{problem}',
    summary: 'A field is not known, or its value is of the wrong type.',
    effect: 'The API server refuses the object, or drops the field without a word.',
    wrong: rule('outlierDetecton: {interval: 10s}'),
    right: rule('outlierDetection: {interval: 10s}'),
  },
  {
    code: 'FL0003',
    name: 'UnknownKind',
    level: 'Error',
    args: ['problem: string'],
    template: '{problem}',
    summary: 'An object says a kind or version that looks like one of the mesh’s and is none.',
    effect: 'The API server refuses it.',
    wrong: `apiVersion: networking.istio.io/v1\nkind: VirtualSevice\nmetadata: {name: reviews}\nspec: {hosts: [reviews]}\n`,
    right: service(''),
  },
  {
    code: 'FL0004',
    name: 'DuplicateObject',
    level: 'Warning',
    args: ['problem: string'],
    template: '{problem}',
    summary: 'The same kind, namespace and name is there twice.',
    effect: 'Whichever is applied last replaces the other; here the first is analyzed.',
    wrong: `${service('')}---\n${service('')}`,
    right: service(''),
  },
  {
    code: 'FL0005',
    name: 'UnusedSuppression',
    level: 'Info',
    args: ['suppression: string'],
    template: 'nothing is suppressed by {suppression}',
    summary: 'A suppression (flag, annotation or comment) hides no finding.',
    effect: 'Nothing now; but it would hide a finding that comes up later.',
    hint: 'Remove it',
    wrong: `# fairlead:ignore IST0118\n${service('')}`,
    right: service(''),
  },
  {
    code: 'FL0006',
    name: 'IgnoredField',
    level: 'Warning',
    args: ['problem: string'],
    template: '{problem}',
    summary: 'A field of the metadata is ignored, such as the namespace of an object that belongs to none.',
    effect: 'It does nothing.',
    hint: 'Remove it',
    wrong: 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, namespace: default, labels: {istio-injection: enabled}}\n',
    right: 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio-injection: enabled}}\n',
  },
];
