import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { list, open, port, string } from '../schema.ts';
import { ObjectReference } from './object-reference.ts';

const addresses = (description: string) =>
  list(
    open(
      'An address.',
      { ip: string('IP address.'), hostname: string('Host name.'), nodeName: string('Its node.'), targetRef: ObjectReference },
      { required: ['ip'] },
    ),
    description,
  );

export const Endpoints = open('Addresses of a service of the same name.', {
  subsets: list(
    open('Addresses with the same ports.', {
      addresses: addresses('Those that take requests.'),
      notReadyAddresses: addresses('Those that do not.'),
      ports: list(
        open(
          'A port.',
          {
            name: string('Name of the port of the service.'),
            port: port('Its number.'),
            protocol: string('TCP, UDP or SCTP.'),
            appProtocol: string('What is spoken on it.'),
          },
          { required: ['port'] },
        ),
        'Their ports.',
      ),
    }),
    'Groups of addresses.',
  ),
});

export type Endpoints = Static<typeof Endpoints>;

export const endpoints = defineKind({
  kind: 'Endpoints',
  group: '',
  versions: ['v1'],
  plural: 'endpoints',
  shortNames: ['ep'],
  scope: 'Namespaced',
  description: 'Addresses of a service; EndpointSlices have taken its place.',
  payload: 'object',
  schema: Endpoints,
  unknownFields: 'allow',
});
