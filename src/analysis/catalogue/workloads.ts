import type { Message } from './message.ts';

const service = (name: string, ports: string, more = ''): string => `apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
${more}  selector: {app: reviews}
  ports:
${ports.replace(/^(?=.)/gm, '    ')}`;

const deployment = (user: number): string => `---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: reviews
spec:
  selector:
    matchLabels: {app: reviews}
  template:
    metadata:
      labels: {app: reviews, sidecar.istio.io/inject: "true"}
    spec:
      containers:
        - name: app
          image: reviews
          securityContext: {runAsUser: ${user}}
`;

/** What Kubernetes' own objects must look like for a mesh. */
export const workloads: readonly Message[] = [
  {
    code: 'IST0116',
    name: 'DeploymentAssociatedToMultipleServices',
    level: 'Warning',
    args: ['deployment: string', 'port: int32', 'services: []string'],
    template: 'port {port} of Deployment {deployment} has several transports, by the Services {services}',
    summary: 'Services give one port of a Deployment several transports, such as TCP and UDP.',
    effect: 'A proxy can serve a port by one transport only.',
    hint: 'Use different port numbers',
    wrong: `${service('a', '- {name: tcp-dns, port: 53, protocol: TCP}\n')}---\n${service('b', '- {name: udp-dns, port: 53, protocol: UDP}\n')}${deployment(1000)}`,
    right: `${service('a', '- {name: tcp-dns, port: 53, protocol: TCP}\n')}---\n${service('b', '- {name: http, port: 80}\n')}${deployment(1000)}`,
  },
  {
    code: 'IST0137',
    name: 'DeploymentConflictingPorts',
    level: 'Warning',
    args: ['deployment: string', 'services: []string', 'targetPort: string', 'ports: []int32'],
    template: 'the Services {services} lead from different ports ({ports}) to the same port {targetPort} of Deployment {deployment}',
    summary: 'One port of a Deployment is reached by several port numbers.',
    effect: 'The proxy knows a target port by one Service only; protocol and policies of the others may not be applied.',
    hint: 'Let the application listen on a port for each, or use one Service port',
    wrong: `${service('a', '- {name: http, port: 80, targetPort: 8080}\n')}---\n${service('b', '- {name: http, port: 81, targetPort: 8080}\n')}${deployment(1000)}`,
    right: `${service('a', '- {name: http, port: 80, targetPort: 8080}\n')}---\n${service('b', '- {name: http, port: 80, targetPort: 8080}\n')}${deployment(1000)}`,
  },
  {
    code: 'IST0118',
    name: 'PortNameIsNotUnderNamingConvention',
    level: 'Info',
    args: ['portName: string', 'port: int', 'targetPort: string'],
    template: 'the name "{portName}" of port {port} (target {targetPort}) does not tell its protocol',
    summary: 'The name of a Service port does not tell the protocol.',
    effect: 'The proxy looks at the first bytes to find it out, which costs time and fails where the server speaks first.',
    hint: 'Begin the name with the protocol, as in `http-web`, or set `appProtocol`',
    wrong: service('reviews', '- {name: web, port: 8080}\n'),
    right: service('reviews', '- {name: http-web, port: 8080}\n'),
  },
  {
    code: 'IST0144',
    name: 'InvalidApplicationUID',
    level: 'Warning',
    args: [],
    template: 'the application runs as user 1337, which is the proxy’s',
    summary: 'An application has the user id of the proxy.',
    effect: 'Its connections are taken for the proxy’s own and pass it by.',
    hint: 'Use any other user id',
    wrong: `${service('reviews', '- {name: http, port: 80}\n')}${deployment(1337)}`,
    right: `${service('reviews', '- {name: http, port: 80}\n')}${deployment(1000)}`,
  },
  {
    code: 'IST0150',
    name: 'ExternalNameServiceTypeInvalidPortName',
    level: 'Warning',
    args: [],
    template: 'the port of an ExternalName Service does not tell a protocol that the mesh can route by name',
    summary: 'A port of an ExternalName Service is named `tcp`, or not by its protocol.',
    effect: 'The proxy listens on the port for all addresses and takes the connections of other services.',
    hint: 'Name it by its protocol, such as `http` or `tls`',
    wrong: service('api', '- {name: tcp, port: 443}\n', '  type: ExternalName\n  externalName: api.example.com\n'),
    right: service('api', '- {name: tls, port: 443}\n', '  type: ExternalName\n  externalName: api.example.com\n'),
  },
];
