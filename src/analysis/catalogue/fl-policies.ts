import type { Message } from './message.ts';

const policy = (body: string, kind = 'AuthorizationPolicy', name = 'reviews'): string => `apiVersion: security.istio.io/v1
kind: ${kind}
metadata:
  name: ${name}
  namespace: shop
${body === '' ? 'spec: {}\n' : `spec:\n${body}`}`;

const selector = (app = 'reviews'): string => `  selector:\n    matchLabels: {app: ${app}}\n`;
const rules = (text: string): string => `  rules:\n    - ${text}\n`;

const workload = (port = 'name: http, port: 80'): string => `---
apiVersion: v1
kind: Service
metadata:
  name: reviews
  namespace: shop
spec:
  selector: {app: reviews}
  ports: [{${port}}]
---
apiVersion: v1
kind: Pod
metadata:
  name: reviews-1
  namespace: shop
  labels: {app: reviews}
spec:
  containers: [{name: app, image: reviews}, {name: istio-proxy, image: proxyv2}]
`;

const peer = (mode: string): string => `---\n${policy(`  mtls: {mode: ${mode}}\n`, 'PeerAuthentication', 'default')}`;
const front = 'from: [{source: {principals: [cluster.local/ns/web/sa/front]}}]';

/** Who may call whom. */
export const flPolicies: readonly Message[] = [
  {
    code: 'FL0301',
    name: 'PolicyRefusesAll',
    level: 'Info',
    args: ['why: string'],
    template: 'nobody gets in: {why}',
    summary: 'A policy refuses every request of the workloads that it is for, and nothing makes an exception.',
    effect: 'Every request is answered with 403. A policy that closes a namespace beside others that open parts of it is not reported.',
    wrong: policy(`${selector()}  action: DENY\n  rules: [{}]\n`) + workload(),
    right: policy(`${selector()}  action: DENY\n${rules('from: [{source: {notIpBlocks: [10.0.0.0/8]}}]')}`) + workload(),
  },
  {
    code: 'FL0302',
    name: 'PolicyAllowsAll',
    level: 'Info',
    args: ['others: int'],
    template: 'everybody is let in: the rule has no condition',
    summary: 'A rule of an ALLOW policy has no condition.',
    effect:
      'Every request is allowed unless a DENY policy refuses it; the other rules of the policy, and other ALLOW policies, do nothing.',
    wrong: policy(`${selector()}  rules: [{}]\n`) + workload(),
    right: policy(`${selector()}${rules('from: [{source: {ipBlocks: [10.0.0.0/8]}}]')}`) + workload(),
  },
  {
    code: 'FL0303',
    name: 'PolicySelectsNothing',
    level: 'Warning',
    args: ['labels: string', 'kind: string'],
    template: 'no workload has the labels {labels}: this {kind} is for nobody',
    summary: 'The selector of a PeerAuthentication, RequestAuthentication, WasmPlugin, ProxyConfig or EnvoyFilter finds no workload.',
    effect: 'It does nothing: what it should close stays open.',
    wrong: policy(`${selector('revews')}  mtls: {mode: STRICT}\n`, 'PeerAuthentication') + workload(),
    right: policy(`${selector()}  mtls: {mode: STRICT}\n`, 'PeerAuthentication') + workload(),
  },
  {
    code: 'FL0304',
    name: 'HttpFieldOnTcpPort',
    level: 'Warning',
    args: ['field: string', 'ports: []int', 'effect: string'],
    template: '`{field}` is of HTTP, but port {ports} is not: {effect}',
    summary: 'A rule of an AuthorizationPolicy uses what only HTTP has, for workloads or ports that do not speak HTTP.',
    effect: 'In an ALLOW policy the rule never holds there; in a DENY policy the condition is left out, and more is refused than meant.',
    hint: 'Use `ports`, `ipBlocks` or, with mutual TLS, `principals`',
    wrong: policy(selector() + rules('to: [{operation: {methods: [GET]}}]')) + workload('name: tcp-db, port: 3306'),
    right: policy(selector() + rules('to: [{operation: {methods: [GET]}}]')) + workload(),
  },
  {
    code: 'FL0305',
    name: 'IdentityWithoutMutualTls',
    level: 'Warning',
    args: ['field: string', 'mode: string', 'effect: string'],
    template: '`{field}` needs mutual TLS, which is {mode} there: {effect}',
    summary: 'A rule goes by who the client is, where clients may come without proving it.',
    effect:
      'Without TLS there is no identity: with DISABLE the condition never holds; with PERMISSIVE plain text passes by DENY rules, and meets conditions such as `notPrincipals`.',
    hint: 'Set a PeerAuthentication with mode STRICT',
    wrong: policy(`${selector()}  action: DENY\n${rules(front)}`) + workload() + peer('PERMISSIVE'),
    right: policy(`${selector()}  action: DENY\n${rules(front)}`) + workload() + peer('STRICT'),
  },
];
