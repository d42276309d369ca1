import type { Message } from './message.ts';

const rule = (host: string, body: string): string => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
spec:
  host: ${host}
${body.replace(/^(?=.)/gm, '  ')}`;

const reviews = `---
apiVersion: v1
kind: Service
metadata:
  name: reviews
spec:
  selector:
    app: reviews
  ports:
    - name: http
      port: 9080
---
apiVersion: v1
kind: Pod
metadata:
  name: reviews-1
  labels:
    app: reviews
    version: v1
spec:
  containers:
    - name: app
      image: reviews
`;

const subset = (version: string): string => `subsets:
  - name: ${version}
    labels:
      version: ${version}
`;

/** How services are called. */
export const destinationRules: readonly Message[] = [
  {
    code: 'IST0128',
    name: 'NoServerCertificateVerificationDestinationLevel',
    level: 'Warning',
    args: ['destinationrule: string', 'namespace: string', 'mode: string', 'host: string'],
    template: 'TLS mode {mode} of DestinationRule {destinationrule} to {host} says not which CA the server is checked against',
    summary: 'TLS to a server without `caCertificates`.',
    effect: 'Older proxies accept any certificate then; present ones check against the CAs of their image.',
    hint: 'Set `caCertificates`; `system` is the CAs of the image',
    wrong: rule('api.example.com', 'trafficPolicy:\n  tls:\n    mode: SIMPLE\n'),
    right: rule('api.example.com', 'trafficPolicy:\n  tls:\n    mode: SIMPLE\n    caCertificates: system\n'),
  },
  {
    code: 'IST0129',
    name: 'NoServerCertificateVerificationPortLevel',
    level: 'Warning',
    args: ['destinationrule: string', 'namespace: string', 'mode: string', 'host: string', 'port: string'],
    template:
      'TLS mode {mode} of DestinationRule {destinationrule} to {host}, port {port}, says not which CA the server is checked against',
    summary: 'TLS to a port of a server without `caCertificates`.',
    effect: 'Older proxies accept any certificate then; present ones check against the CAs of their image.',
    hint: 'Set `caCertificates`; `system` is the CAs of the image',
    wrong: rule('api.example.com', 'trafficPolicy:\n  portLevelSettings:\n    - port: {number: 443}\n      tls: {mode: SIMPLE}\n'),
    right: rule(
      'api.example.com',
      'trafficPolicy:\n  portLevelSettings:\n    - port: {number: 443}\n      tls: {mode: SIMPLE, caCertificates: system}\n',
    ),
  },
  {
    code: 'IST0173',
    name: 'DestinationRuleSubsetNotSelectPods',
    level: 'Error',
    args: ['subset: string'],
    template: 'no Pod carries the labels of subset {subset}',
    summary: 'A subset selects no Pod.',
    effect: 'Requests that are routed to the subset are answered 503.',
    hint: 'Compare the labels of the subset with those of the Pods',
    wrong: `${rule('reviews', subset('v2'))}${reviews}`,
    right: `${rule('reviews', subset('v1'))}${reviews}`,
  },
  {
    code: 'IST0174',
    name: 'UnknownDestinationRuleHost',
    level: 'Warning',
    args: ['host: string'],
    template: 'the host "{host}" is neither a Service nor a host of a ServiceEntry',
    summary: 'A DestinationRule is for a host that is not there.',
    effect: 'The DestinationRule does nothing: its limits, TLS settings and subsets are not used.',
    hint: 'Is it misspelt, in another namespace, or not exported to this one?',
    wrong: `${rule('revews', subset('v1'))}${reviews}`,
    right: `${rule('reviews', subset('v1'))}${reviews}`,
  },
];
