import type { Message } from './message.ts';

const injector = (name: string, client: string, selector: string): string => `apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata:
  name: ${name}
webhooks:
  - name: sidecar-injector.istio.io
    clientConfig: {${client}}
    namespaceSelector:
      matchLabels: {${selector}}
`;

const istiod = 'service: {namespace: istio-system, name: istiod}';

const service = `---
apiVersion: v1
kind: Service
metadata:
  name: istiod
  namespace: istio-system
  labels: {istio: pilot}
spec:
  selector: {app: istiod}
  ports: [{name: https, port: 443}]
`;

const networks = (registry: string): string => `apiVersion: v1
kind: ConfigMap
metadata:
  name: istio
  namespace: istio-system
data:
  meshNetworks: |
    networks:
      east:
        endpoints:
          - fromRegistry: ${registry}
---
apiVersion: v1
kind: Secret
metadata:
  name: clusters
  namespace: istio-system
  labels: {istio/multiCluster: "true"}
stringData:
  east: a kubeconfig
`;

const route = (status: string): string => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: reviews
spec:
  parentRefs: [{name: public}]
status:
  parents:
    - parentRef: {name: public}
      controllerName: istio.io/gateway-controller
      conditions:
        - {type: ResolvedRefs, status: "${status}", reason: BackendNotFound, message: "backend(reviews) not found"}
`;

const crd = (version: string): string => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: grpcroutes.gateway.networking.k8s.io
  annotations:
    gateway.networking.k8s.io/bundle-version: ${version}
spec:
  group: gateway.networking.k8s.io
  names: {kind: GRPCRoute, plural: grpcroutes}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true}]
`;

/** Istio's own installation, clusters, and what controllers report. */
export const controlPlane: readonly Message[] = [
  {
    code: 'IST0126',
    name: 'UnknownMeshNetworksServiceRegistry',
    level: 'Error',
    args: ['serviceregistry: string', 'network: string'],
    template: 'network {network} takes its endpoints from {serviceregistry}, which no Secret gives access to',
    summary: 'A network of the mesh names a cluster that is not known.',
    effect: 'No endpoint belongs to the network, so its gateways are not used.',
    hint: 'The name is a key of a Secret with the label `istio/multiCluster: "true"`',
    wrong: networks('west'),
    right: networks('east'),
  },
  {
    code: 'IST0139',
    name: 'InvalidWebhook',
    level: 'Error',
    args: ['error: string'],
    template: 'the webhook cannot work: {error}',
    summary: 'An injector overlaps with another one, or its Service is not there.',
    effect: 'Pods are injected twice, or cannot be made.',
    wrong: `${injector('a', istiod, 'istio-injection: enabled')}---\n${injector('b', istiod, 'istio-injection: enabled')}${service}`,
    right: `${injector('a', istiod, 'istio-injection: enabled')}---\n${injector('b', istiod, 'istio.io/rev: canary, istio-injection: none')}${service}`,
  },
  {
    code: 'IST0163',
    name: 'InvalidExternalControlPlaneConfig',
    level: 'Warning',
    args: ['hostname: string', 'webhook: string', 'msg: string'],
    template: 'webhook {webhook} cannot reach its control plane{hostname: "}{hostname::"}: {msg}',
    summary: 'A webhook of an external control plane has no usable address.',
    effect: 'Pods are not injected, or configuration is not checked.',
    hint: 'Give it the URL of the control plane’s gateway',
    wrong: injector('istio-sidecar-injector', 'url: "no url"', 'istio-injection: enabled'),
    right: injector('istio-sidecar-injector', 'url: "https://istiod.example.com:15017/inject"', 'istio-injection: enabled'),
  },
  {
    code: 'IST0164',
    name: 'ExternalControlPlaneAddressIsNotAHostname',
    level: 'Info',
    args: ['hostname: string', 'webhook: string'],
    template: 'webhook {webhook} reaches its control plane by the address {hostname}, not by a name',
    summary: 'A webhook of an external control plane has an IP address.',
    effect: 'Nothing goes wrong until the address changes.',
    hint: 'Use a DNS name',
    wrong: injector('istio-sidecar-injector', 'url: "https://203.0.113.7:15017/inject"', 'istio-injection: enabled'),
    right: injector('istio-sidecar-injector', 'url: "https://istiod.example.com:15017/inject"', 'istio-injection: enabled'),
  },
  {
    code: 'IST0170',
    name: 'MultiClusterInconsistentService',
    level: 'Warning',
    args: ['serviceName: string', 'namespace: string', 'clusters: []string', 'error: string'],
    template: 'Service {serviceName} in namespace {namespace} is not the same in the clusters {clusters}: {error}',
    summary: 'A Service differs between clusters of the mesh. Found only when several clusters are analyzed together.',
    effect: 'Clients are told of it as in one of the clusters; requests to ports or addresses of the others fail.',
    hint: 'Make type, ports and `clusterIP: None` the same everywhere',
  },
  {
    code: 'IST0171',
    name: 'NegativeConditionStatus',
    level: 'Warning',
    args: ['conditionType: string', 'reason: string', 'message: string'],
    template: 'the controller reports {conditionType} as not met: {reason}{message: (}{message::)}',
    summary: 'The status of an object says that something about it could not be done.',
    effect: 'What the condition is about does not work, such as a route or a policy.',
    wrong: route('False'),
    right: route('True'),
  },
  {
    code: 'IST0176',
    name: 'GatewayAPICRDVersionBelowMinimum',
    level: 'Warning',
    args: ['crd: string', 'installedVersion: string', 'minimumVersion: string'],
    template: 'the definition of {crd} is of version {installedVersion}; {minimumVersion} is needed',
    summary: 'A kind of the Gateway API is installed in too old a version.',
    effect: 'The control plane does not read objects of the kind.',
    hint: 'Install a newer release of the Gateway API',
    wrong: crd('v1.0.0'),
    right: crd('v1.4.0'),
  },
];
