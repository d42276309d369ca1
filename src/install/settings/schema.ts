/** The settings of an installation, declared once: types, validation, JSON Schema (`fairlead schema install`) and the values of the Helm chart. */
import type { Static } from 'typebox';
import { MeshConfig } from '../../config/kinds/mesh-config.ts';
import { as, boolean, choice, integer, list, map, message, open, string, stringMap, strings } from '../../config/kinds/schema.ts';

/** RFC 1123: names of namespaces and services. */
const LABEL = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';
const QUANTITY = '^[0-9]+(\\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$';

const amounts = (description: string) =>
  message(description, {
    cpu: string('Of a processor: `100m`, `2`.', { pattern: QUANTITY }),
    memory: string('Bytes: `128Mi`, `1Gi`.', { pattern: QUANTITY }),
  });

const resources = message('What the container asks for, and what it may take at most.', {
  requests: amounts('What it asks for.'),
  limits: amounts('What it may take at most. Without a limit on `cpu` it is never slowed down.'),
});

const toleration = open('A taint that is put up with.', {
  key: string('Its key.'),
  operator: choice(['Exists', 'Equal'], 'How the value is compared.'),
  value: string('Its value.'),
  effect: choice(['NoSchedule', 'PreferNoSchedule', 'NoExecute'], 'Its effect.'),
});

/** Where pods may run. */
const placement = {
  nodeSelector: stringMap('Labels that nodes must have.'),
  tolerations: list(toleration, 'Taints of nodes that are put up with.'),
  priorityClassName: string('PriorityClass of the pods.'),
};

const gatewayPort = message(
  'A port of the gateway’s Service.',
  {
    name: string('Its name; begins with the protocol, as Istio has it.', { pattern: '^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$' }),
    port: integer('The port that clients, and the servers of a Gateway, name.', { minimum: 1, maximum: 65535 }),
    targetPort: integer('Where the gateway listens for it. Default: 8080 for 80, 8443 for 443, 8000 more for others below 1024.', {
      minimum: 1024,
      maximum: 65535,
    }),
  },
  { required: ['name', 'port'] },
);

const gateway = message('A gateway: a Deployment with its Service.', {
  labels: stringMap('Labels by which Gateways select it. Default: `istio: NAME`.', { minProperties: 1 }),
  ports: list(gatewayPort, 'Ports of the Service. Default: 80 and 443.', { minItems: 1 }),
  credentials: strings('Secrets of its namespace that Gateways name (`credentialName`). It may read these and no others.', {
    items: { pattern: '^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$' },
  }),
  engine: choice(['auto', 'envoy', 'embedded'], 'What runs the traffic. auto, the default: Envoy when the image has it.'),
  replicas: message('How many pods.', {
    min: integer('At least. Default: 2.', { minimum: 1, maximum: 1000 }),
    max: integer('At most. The same as `min`: no HorizontalPodAutoscaler is made. Default: 5.', { minimum: 1, maximum: 1000 }),
    cpu: integer('More are made when they use more than this share of the processor time they ask for, in percent. Default: 80.', {
      minimum: 1,
      maximum: 1000,
    }),
  }),
  service: message('Its Service.', {
    type: choice(['LoadBalancer', 'NodePort', 'ClusterIP'], 'Its type. Default: LoadBalancer.'),
    annotations: stringMap('Its annotations, as load balancers read them.'),
    externalTrafficPolicy: choice(['Cluster', 'Local'], 'Local keeps the addresses of clients.'),
    loadBalancerClass: string('Which load balancer.'),
    loadBalancerSourceRanges: strings('Clients’ networks (CIDR) that are let in.'),
  }),
  resources,
  podAnnotations: stringMap('Annotations of its pods.'),
  ...placement,
});

const agent = message('The agent of each node, a DaemonSet: it serves the sidecars of the node’s pods.', {
  enabled: boolean('Whether there is one. Default: when sidecars are injected that need it (`injection.agent: node`).'),
  resources: as(resources, 'What it asks for, and what it may take at most.'),
  nodeSelector: placement.nodeSelector,
  tolerations: list(toleration, 'Taints of nodes that are put up with. Default: all.'),
  priorityClassName: string('PriorityClass of its pods; empty: none. Default: system-node-critical.'),
});

const injection = message('Sidecars for pods, and the validation of what is applied.', {
  agent: choice(
    ['node', 'pod'],
    'Who reads the mesh for a sidecar. node, the default: the agent of its node, over a socket in a folder of the node; the pod needs no permission. pod: the sidecar itself, as its pod’s service account. The annotation fairlead.dev/agent of a pod goes before.',
  ),
  namespaces: strings(
    'Namespaces whose service accounts may read the mesh, so that sidecars there can do without the agent of their node: Services, endpoints, Pods, Nodes, Namespaces and Istio’s kinds of all namespaces; `*` is all. With `agent: pod` only their pods have sidecars; with `agent: node` it is for those whose Pod Security forbids folders of the node. Default: none.',
    { items: { pattern: '^([*]|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$' } },
  ),
  enabled: boolean(
    'Whether the server of webhooks runs: pods are injected when labels ask for it, Istio’s kinds are validated. Default: as the profile has it, or when `namespaces` has some.',
  ),
  engine: choice(['auto', 'envoy', 'embedded'], 'What runs the traffic of sidecars. auto, the default: Envoy when the image has it.'),
  nativeSidecar: boolean(
    'Sidecars are init containers that stay (Kubernetes 1.29), so that they start before and end after the others. Default: true.',
  ),
  capture: choice(
    ['none', 'redirect'],
    'How connections get to the sidecar. none, the default: applications ask it as their HTTP proxy. redirect: an init container has all TCP connections of the pod redirected to it; needs `engine: envoy`. The annotation sidecar.istio.io/interceptionMode of a pod goes before.',
  ),
  resources: as(resources, 'What a sidecar asks for, and what it may take at most. Annotations of pods go before.'),
  logLevel: choice(['debug', 'info', 'warning', 'error'], 'Least severity that agents of sidecars log. Default: info.'),
  replicas: integer('Pods of the server of webhooks. Default: 2.', { minimum: 1, maximum: 100 }),
  ...placement,
});

/** A settings file: all fields are optional; what is not there is the profile's. */
export const settingsSchema = message('Settings of an installation.', {
  profile: choice(['default', 'minimal', 'demo'], 'What the settings begin with: see `fairlead manifest profiles`.'),
  namespace: string('Where it is installed. Default: fairlead-system.', { pattern: LABEL }),
  image: string('The container image, made with deploy/Dockerfile. Default: fairlead:VERSION.', {
    pattern: '^[a-z0-9][a-zA-Z0-9._/:@-]*$',
  }),
  imagePullPolicy: choice(['Always', 'IfNotPresent', 'Never'], 'When the image is pulled.'),
  imagePullSecrets: strings('Secrets of the namespace with which it is pulled.'),
  logFormat: choice(['text', 'json'], 'Form of the logs. Default: json.'),
  definitions: boolean('Whether the CustomResourceDefinitions of Istio’s kinds are installed where they are missing. Default: true.'),
  status: boolean('Whether agents write the status of Istio’s and the Gateway API’s objects into the cluster, and Events. Default: true.'),
  meshConfig: as(MeshConfig, 'MeshConfig of the mesh. Default: all of Istio’s defaults.'),
  ca: message('The certificate authority.', {
    replicas: integer('How many pods: one leads, the others stand by. With a volume there is one. Default: 2.', {
      minimum: 1,
      maximum: 20,
    }),
    storage: message(
      'A volume for one pod, with its audit log. Default: none; keys and state are in a Secret, and the log is in the pods’ logs.',
      {
        size: string('How large. Default: 1Gi.', { pattern: QUANTITY }),
        className: string('StorageClass. Default: the cluster’s default one.'),
      },
    ),
    resources,
    ...placement,
  }),
  agent,
  injection,
  host: message('An installation on a host (`--target systemd`).', {
    agent: boolean('Whether the agent runs there. Default: true.'),
    ca: boolean('Whether the certificate authority is served there. Default: false.'),
    mesh: string('Folder of the configuration. Default: /etc/fairlead/mesh.', { pattern: '^/' }),
    program: string('Fairlead on that host, with its first arguments. Default: what installs it.', { pattern: '^/' }),
    engine: choice(['auto', 'envoy', 'embedded'], 'What runs the traffic. Default: auto.'),
  }),
  gateways: map(gateway, 'Gateways by name.', { propertyNames: { pattern: LABEL } }),
});

export type SettingsFile = Static<typeof settingsSchema>;
export type GatewaySettings = Static<typeof gateway>;
export type ContainerResources = Static<typeof resources>;
