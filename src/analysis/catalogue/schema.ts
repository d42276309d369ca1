import type { Message } from './message.ts';

const rule = (body: string): string => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
spec:
  host: api.example.com
  trafficPolicy:
    outlierDetection: {${body}}
`;

const fault = (field: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [reviews]
  http:
    - fault:
        delay: {${field}, fixedDelay: 1s}
      route:
        - destination: {host: reviews}
`;

/** What one object alone can get wrong. */
export const schema: readonly Message[] = [
  {
    code: 'IST0002',
    name: 'Deprecated',
    level: 'Warning',
    args: ['detail: string'],
    template: 'deprecated: {detail}',
    summary: 'A field or kind is on its way out, or does nothing any more.',
    effect: 'It stops to work with a later version, if it still does.',
    wrong: fault('percent: 5'),
    right: fault('percentage: {value: 5}'),
  },
  {
    code: 'IST0106',
    name: 'SchemaValidationError',
    level: 'Error',
    args: ['err: string'],
    template: '{err}',
    summary: 'A field breaks a rule of its kind.',
    effect: 'The API server, or the control plane, refuses the object.',
    wrong: rule('maxEjectionPercent: 500'),
    right: rule('maxEjectionPercent: 50'),
  },
  {
    code: 'IST0133',
    name: 'SchemaWarning',
    level: 'Warning',
    args: ['err: string'],
    template: '{err}',
    summary: 'A field is accepted, but does not do what one may think, or is deprecated.',
    effect: 'Depends on the field: it is ignored, or replaced by another one.',
    wrong: rule('consecutiveErrors: 5'),
    right: rule('consecutive5xxErrors: 5'),
  },
];
