/** Pods and templates of pods. */
import type { Static } from 'typebox';
import { as, boolean, integer, intOrString, list, map, open, port, string, stringMap, strings, struct } from '../schema.ts';

const seconds = (description: string) => integer(description, { minimum: 0 });

export const Probe = open('A health check.', {
  httpGet: open(
    'Sends a request; 200 to 399 is healthy.',
    {
      path: string('Path of the request. Default: `/`.'),
      port: intOrString('Port, by number or name.'),
      host: string('Host to connect to. Default: the pod.'),
      scheme: string('`HTTP` (the default) or `HTTPS`.'),
      httpHeaders: list(open('A header.', { name: string('Its name.'), value: string('Its value.') }), 'Headers of the request.'),
    },
    { required: ['port'] },
  ),
  tcpSocket: open(
    'Connects.',
    { port: intOrString('Port, by number or name.'), host: string('Host to connect to. Default: the pod.') },
    { required: ['port'] },
  ),
  grpc: open('Asks the gRPC health service.', { port: port('Its port.'), service: string('Name to ask for.') }, { required: ['port'] }),
  exec: open('Runs a command.', { command: strings('The command and its arguments.') }),
  initialDelaySeconds: seconds('Seconds before the first check. Default: 0.'),
  timeoutSeconds: seconds('Seconds that a check may take. Default: 1.'),
  periodSeconds: seconds('Seconds between checks. Default: 10.'),
  successThreshold: seconds('Successes in a row that make it healthy. Default: 1.'),
  failureThreshold: seconds('Failures in a row that make it unhealthy. Default: 3.'),
});

export const ContainerPort = open(
  'A port that a container listens on.',
  {
    name: string('Its name.'),
    containerPort: port('Its number.'),
    protocol: string('`TCP` (the default), `UDP` or `SCTP`.'),
    hostPort: port('Number on the node.'),
    hostIP: string('Address on the node.'),
  },
  { required: ['containerPort'] },
);

export const Container = open(
  'A container.',
  {
    name: string('Its name.'),
    image: string('Its image.'),
    command: strings('Its command.'),
    args: strings('Arguments of the command.'),
    ports: list(ContainerPort, 'Ports that it listens on.'),
    env: list(
      open('A variable.', { name: string('Its name.'), value: string('Its value.') }, { required: ['name'] }),
      'Environment variables.',
    ),
    readinessProbe: as(Probe, 'Says whether it can take requests.'),
    livenessProbe: as(Probe, 'Says whether it must be started anew.'),
    startupProbe: as(Probe, 'Says whether it has started.'),
    restartPolicy: string('Init containers: `Always` makes it a sidecar.'),
    securityContext: open('Its rights.', {
      runAsUser: integer('User id.'),
      runAsGroup: integer('Group id.'),
      privileged: boolean('All rights.'),
    }),
  },
  { required: ['name'] },
);

export const PodSpec = open(
  'What a pod runs.',
  {
    containers: list(Container, 'Its containers.'),
    initContainers: list(Container, 'Containers that run first, or beside (sidecars).'),
    serviceAccountName: string('Service account: its identity. Default: `default`.'),
    serviceAccount: string('Old name of `serviceAccountName`.', { deprecated: true }),
    nodeName: string('Node that it runs on.'),
    nodeSelector: stringMap('Labels of nodes that it may run on.'),
    hostNetwork: boolean('Uses the network of the node. Default: false.'),
    hostname: string('Its host name.'),
    subdomain: string('Headless service that gives it a DNS name.'),
    restartPolicy: string('`Always` (the default), `OnFailure` or `Never`.'),
    terminationGracePeriodSeconds: integer('Seconds that it may take to stop. Default: 30.'),
    dnsPolicy: string('How it resolves names.'),
    priorityClassName: string('Its priority.'),
    automountServiceAccountToken: boolean('Mounts a token of the service account. Default: true.'),
    securityContext: open('Rights of all containers.', {
      runAsUser: integer('User id.'),
      runAsGroup: integer('Group id.'),
      fsGroup: integer('Group id of volumes.'),
      sysctls: list(open('A kernel setting.', { name: string('Its name.'), value: string('Its value.') }), 'Kernel settings.'),
    }),
    volumes: list(open('A volume.', { name: string('Its name.') }, { required: ['name'] }), 'Its volumes.'),
    imagePullSecrets: list(open('A Secret.', { name: string('Its name.') }), 'Secrets with credentials for registries.'),
  },
  { required: ['containers'] },
);

export const PodTemplate = open('What pods are made from.', {
  metadata: open('Metadata of the pods.', {
    name: string('Not used.'),
    labels: stringMap('Their labels.'),
    annotations: stringMap('Their annotations.'),
  }),
  spec: PodSpec,
});

export const PodStatus = open('What became of a pod.', {
  phase: string('`Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.'),
  podIP: string('Its IP address.'),
  podIPs: list(open('An address.', { ip: string('The address.') }), 'Its IP addresses, one a family.'),
  hostIP: string('IP address of its node.'),
  startTime: string('When it was taken on by the node, RFC 3339.'),
  conditions: list(
    open('A condition.', { type: string('Its type, such as `Ready`.'), status: string('`True`, `False` or `Unknown`.') }),
    'Its conditions.',
  ),
  containerStatuses: list(
    open('A container.', { name: string('Its name.'), ready: boolean('Takes requests.'), state: map(struct('Details.'), 'Its state.') }),
    'Its containers.',
  ),
});

export type Probe = Static<typeof Probe>;
export type Container = Static<typeof Container>;
export type PodSpec = Static<typeof PodSpec>;
export type PodTemplate = Static<typeof PodTemplate>;
export type PodStatus = Static<typeof PodStatus>;
