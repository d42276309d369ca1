import type { Message } from './message.ts';

const service = (namespace: string, selector = 'app: reviews'): string => `---
apiVersion: v1
kind: Service
metadata:
  name: reviews
  namespace: ${namespace}
spec:
  selector: {${selector}}
  ports: [{name: http, port: 80}]
`;

const route = (host: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: shop
  namespace: web
spec:
  hosts: [shop.example.com]
  http:
    - route:
        - destination: {host: ${host}}
`;

const pod = (labels: string): string => `---
apiVersion: v1
kind: Pod
metadata:
  name: reviews-1
  namespace: shop
  labels: {${labels}}
spec:
  containers: [{name: app, image: reviews}]
`;

const rule = (body: string): string => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
  namespace: shop
spec:
  host: reviews
${body}`;

const v2 = '  subsets:\n    - name: v2\n      labels: {version: v2}\n';
const outlier = (more: string): string =>
  rule(`  trafficPolicy:\n    outlierDetection: {consecutive5xxErrors: 5, maxEjectionPercent: ${more}}\n`);

/** Services that requests are sent to. */
export const flDestinations: readonly Message[] = [
  {
    code: 'FL0201',
    name: 'HostInOtherNamespace',
    level: 'Warning',
    args: ['host: string', 'resolved: string', 'meant: string'],
    template: '{host} means {resolved} here, which is not there; {meant} is',
    summary:
      'A short host name is completed with the namespace of the object it is in, or, with a dot, not at all; the service is elsewhere.',
    effect: 'Requests fail with 503, or the rule is for nothing.',
    hint: 'Write the full name',
    wrong: route('reviews') + service('shop'),
    right: route('reviews.shop.svc.cluster.local') + service('shop'),
  },
  {
    code: 'FL0202',
    name: 'SubsetWithoutEndpoint',
    level: 'Warning',
    args: ['subset: string', 'host: string'],
    template: 'no workload of {host} is in subset {subset}: others have its labels',
    summary: 'Workloads carry the labels of a subset, but none that the service itself selects.',
    effect: 'Requests for the subset fail with 503.',
    wrong: rule(v2) + service('shop') + pod('app: ratings, version: v2'),
    right: rule(v2) + service('shop') + pod('app: reviews, version: v2'),
  },
  {
    code: 'FL0203',
    name: 'EverythingEjected',
    level: 'Warning',
    args: [],
    template: 'outlier detection may take every endpoint out at once',
    summary: '`maxEjectionPercent` is 100, without `minHealthPercent`.',
    effect: 'When something behind all endpoints fails, they are all taken out, and requests fail with 503 until the time is over.',
    hint: 'Lower it, or set `minHealthPercent`: below that share all endpoints are used',
    wrong: outlier('100'),
    right: outlier('100, minHealthPercent: 30'),
  },
];
