import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { boolean, choice, integer, intOrString, list, open, port, string, stringMap, strings } from '../schema.ts';

export const KubernetesServicePort = open(
  'A port of a service.',
  {
    name: string(
      'Its name. What stands before the first `-` tells the protocol, such as `http` in `http-web`; `appProtocol` goes before it.',
    ),
    protocol: choice(['TCP', 'UDP', 'SCTP'], 'TCP, the default, UDP or SCTP. Only TCP is part of the mesh.'),
    appProtocol: string('What is spoken on it: `http`, `http2`, `grpc`, `https`, `tls`, `tcp`, `kubernetes.io/h2c`, …'),
    port: integer('The number that clients use.', { minimum: 1, maximum: 65535 }),
    targetPort: intOrString('The number that pods listen on, or the name of a container port. Default: `port`.'),
    nodePort: port('Number on every node.'),
  },
  { required: ['port'] },
);

export const KubernetesService = open('A service: pods behind a name.', {
  type: choice(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'], 'How it is reached. Default: ClusterIP.'),
  clusterIP: string('Its virtual IP address; `None` for a headless service.'),
  clusterIPs: strings('Its virtual IP addresses, one a family.'),
  externalIPs: strings('Further addresses that nodes take connections for.'),
  externalName: string('ExternalName: the host that it stands for.'),
  ports: list(KubernetesServicePort, 'Its ports.'),
  selector: stringMap('Labels of the pods behind it. Without it endpoints are given by hand.'),
  ipFamilies: list(choice(['IPv4', 'IPv6'], 'IPv4 or IPv6.'), 'Families of its addresses.'),
  ipFamilyPolicy: string('`SingleStack`, `PreferDualStack` or `RequireDualStack`.'),
  internalTrafficPolicy: choice(['Cluster', 'Local'], 'Local: only pods of the same node. Default: Cluster.'),
  externalTrafficPolicy: choice(['', 'Cluster', 'Local'], 'Local: connections from outside stay on their node. Default: Cluster.'),
  trafficDistribution: string('`PreferClose`, `PreferSameZone`: pods of the same zone first. `PreferSameNode`: of the same node.'),
  publishNotReadyAddresses: boolean('Pods count as ready even if they are not. Default: false.'),
  sessionAffinity: string('`ClientIP` or `None`, the default. Proxies do not act on it.'),
  loadBalancerIP: string('LoadBalancer: the address asked for.', { deprecated: true }),
  loadBalancerClass: string('LoadBalancer: who makes it.'),
  loadBalancerSourceRanges: strings('LoadBalancer: who may connect.'),
  healthCheckNodePort: port('LoadBalancer: port of the health check.'),
});

export const KubernetesServiceStatus = open('State of a service.', {
  loadBalancer: open('The load balancer.', {
    ingress: list(open('An address.', { ip: string('IP address.'), hostname: string('Host name.') }), 'Its addresses.'),
  }),
});

/** The type of `spec`. */
export type KubernetesService = Static<typeof KubernetesService>;
export type KubernetesServicePort = Static<typeof KubernetesServicePort>;
export type KubernetesServiceStatus = Static<typeof KubernetesServiceStatus>;

export const kubernetesService = defineKind({
  kind: 'Service',
  group: '',
  versions: ['v1'],
  plural: 'services',
  shortNames: ['svc'],
  scope: 'Namespaced',
  description: 'Pods behind a name and a virtual address; a service of the mesh.',
  payload: 'spec',
  schema: KubernetesService,
  unknownFields: 'allow',
});
