import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { boolean, choice, list, open, port, string, stringMap, strings } from '../schema.ts';
import { ObjectReference } from './object-reference.ts';

const hint = (what: string) =>
  list(open(`A ${what}.`, { name: string('Its name.') }), `${what[0]?.toUpperCase()}${what.slice(1)}s whose clients should use it.`);

export const SliceEndpoint = open(
  'An endpoint.',
  {
    addresses: strings('Its addresses; all stand for the same endpoint.'),
    conditions: open('Its state.', {
      ready: boolean('Takes requests. Default: true.'),
      serving: boolean('Takes requests, though it may be stopping. Default: as `ready`.'),
      terminating: boolean('Is stopping. Default: false.'),
    }),
    hostname: string('Its host name.'),
    targetRef: ObjectReference,
    nodeName: string('Its node.'),
    zone: string('Its zone.'),
    hints: open('Who should use it.', { forZones: hint('zone'), forNodes: hint('node') }),
    deprecatedTopology: stringMap('Nothing acts on it.', { deprecated: true }),
  },
  { required: ['addresses'] },
);

export const EndpointSlice = open(
  'Some of the endpoints of the service that the label `kubernetes.io/service-name` names.',
  {
    addressType: choice(['IPv4', 'IPv6', 'FQDN'], 'What the addresses are. FQDN slices are not used.'),
    endpoints: list(SliceEndpoint, 'The endpoints.'),
    ports: list(
      open('A port.', {
        name: string('Name of the port of the service.'),
        port: port('Its number.'),
        protocol: choice(['TCP', 'UDP', 'SCTP'], 'TCP, the default, UDP or SCTP.'),
        appProtocol: string('What is spoken on it.'),
      }),
      'Ports of all the endpoints.',
    ),
  },
  { required: ['addressType'] },
);

export type SliceEndpoint = Static<typeof SliceEndpoint>;
export type EndpointSlice = Static<typeof EndpointSlice>;

export const endpointSlice = defineKind({
  kind: 'EndpointSlice',
  group: 'discovery.k8s.io',
  versions: ['v1', 'v1beta1'],
  plural: 'endpointslices',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Addresses, ports and readiness of some endpoints of a service.',
  payload: 'object',
  schema: EndpointSlice,
  unknownFields: 'allow',
});
