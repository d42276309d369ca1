import type { Message } from './message.ts';

const namespace = (labels: string): string => `apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels: {${labels}}
`;

const pod = (containers: string): string => `---
apiVersion: v1
kind: Pod
metadata:
  name: reviews-1
  namespace: shop
spec:
  containers:
${containers.replace(/^(?=.)/gm, '    ')}`;

const app = '- {name: app, image: reviews}\n';
const proxy = (image: string): string => `- {name: istio-proxy, image: ${image}}\n`;

const injector = (values: string): string => `---
apiVersion: v1
kind: ConfigMap
metadata:
  name: istio-sidecar-injector
  namespace: istio-system
data:
  values: '${values}'
`;

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ingress
  namespace: shop
spec:
  selector:
    matchLabels: {app: ingress}
  template:
    metadata:
      labels: {app: ingress}
    spec:
      containers:
        - {name: istio-proxy, image: auto}
`;

const webhook = `---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata:
  name: istio-sidecar-injector
webhooks:
  - name: sidecar-injector.istio.io
    clientConfig: {service: {namespace: istio-system, name: istiod}}
`;

const values = '{"global": {"hub": "docker.io/istio", "tag": "1.28.0", "proxy": {"image": "proxyv2"}}}';

/** Who gets a sidecar. */
export const injection: readonly Message[] = [
  {
    code: 'IST0102',
    name: 'NamespaceNotInjected',
    level: 'Info',
    args: ['namespace: string', 'namespace2: string'],
    template: 'nothing says whether namespace {namespace} gets sidecars',
    summary: 'A namespace has no label for injection.',
    effect: 'Its Pods run without a sidecar: no mutual TLS, no policies, no routes.',
    hint: 'Label it `istio-injection=enabled`, or `disabled` if that is meant',
    wrong: namespace(''),
    right: namespace('istio-injection: disabled'),
  },
  {
    code: 'IST0103',
    name: 'PodMissingProxy',
    level: 'Warning',
    args: ['podName: string'],
    template: 'Pod {podName} has no sidecar, although its namespace is injected',
    summary: 'A Pod of an injected namespace runs without a proxy.',
    effect: 'It is outside the mesh: strict services refuse it, and no policy protects it.',
    hint: 'Restart it, so that it is injected',
    wrong: `${namespace('istio-injection: enabled')}${pod(app)}`,
    right: `${namespace('istio-injection: enabled')}${pod(app + proxy('proxyv2'))}`,
  },
  {
    code: 'IST0123',
    name: 'NamespaceMultipleInjectionLabels',
    level: 'Warning',
    args: ['labels: []string'],
    template: 'the namespace has several labels for injection: {labels}',
    summary: 'A namespace has labels for injection that contradict each other.',
    effect: 'Which of them counts is not what one may think: `istio-injection` goes before a revision, and sidecars before ambient mode.',
    hint: 'Keep one of them',
    wrong: namespace('istio-injection: enabled, istio.io/rev: canary'),
    right: namespace('istio.io/rev: canary'),
  },
  {
    code: 'IST0146',
    name: 'ImageAutoWithoutInjectionWarning',
    level: 'Warning',
    args: ['resourceType: string', 'resourceName: string'],
    template: '{resourceType} {resourceName} has `image: auto`, but no injector replaces it',
    summary: 'A Deployment waits for the injector to fill in its proxy, and none does.',
    effect: 'Its Pods cannot start: there is no image `auto`.',
    hint: 'Label namespace and template so that an injector is asked',
    wrong: deployment,
    right: `${deployment}${webhook}`,
  },
  {
    code: 'IST0147',
    name: 'ImageAutoWithoutInjectionError',
    level: 'Error',
    args: ['resourceType: string', 'resourceName: string'],
    template: '{resourceType} {resourceName} has `image: auto`: it was not injected',
    summary: 'A Pod has the image `auto` that the injector should have replaced.',
    effect: 'It cannot start: there is no such image.',
    hint: 'Label namespace and Pod so that an injector is asked, then make it anew',
    wrong: `${namespace('istio-injection: enabled')}${pod(proxy('auto'))}`,
    right: `${namespace('istio-injection: enabled')}${pod(proxy('proxyv2'))}`,
  },
  {
    code: 'IST0148',
    name: 'NamespaceInjectionEnabledByDefault',
    level: 'Info',
    args: [],
    template: 'the namespace has no label for injection, and gets sidecars by default',
    summary: 'A namespace is injected since the injector is set to inject everything.',
    effect: 'Nothing goes wrong; but the namespace leaves the mesh when that setting changes.',
    hint: 'Label it `istio-injection=enabled`, or `disabled`',
    wrong: `${namespace('')}${injector('{"sidecarInjectorWebhook": {"enableNamespacesByDefault": true}}')}`,
    right: `${namespace('istio-injection: enabled')}${injector('{"sidecarInjectorWebhook": {"enableNamespacesByDefault": true}}')}`,
  },
  {
    code: 'IST0158',
    name: 'PodsIstioProxyImageMismatchInNamespace',
    level: 'Warning',
    args: ['podNames: []string'],
    template: 'the sidecars of these Pods are not of the version that the injector gives: {podNames}',
    summary: 'Pods run another version of the proxy than new ones would get.',
    effect: 'Old proxies lack fixes, and after two versions may not understand their configuration.',
    hint: 'Restart the Pods',
    wrong: `${namespace('istio-injection: enabled')}${pod(proxy('docker.io/istio/proxyv2:1.26.0'))}${injector(values)}`,
    right: `${namespace('istio-injection: enabled')}${pod(proxy('docker.io/istio/proxyv2:1.28.0'))}${injector(values)}`,
  },
];
