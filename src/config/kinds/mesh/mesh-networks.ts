import type { Static } from 'typebox';
import { integer, list, map, message, string } from '../schema.ts';

export const Network = message('A network: endpoints that reach each other directly.', {
  endpoints: list(
    message(
      'Endpoints of the network, by one of these.',
      { fromCidr: string('Those with addresses in this range.'), fromRegistry: string('Those of the cluster with this name.') },
      { oneOf: [['fromCidr', 'fromRegistry']] },
    ),
    'Which endpoints belong to the network.',
  ),
  gateways: list(
    message(
      'A gateway by which other networks reach the endpoints.',
      {
        registryServiceName: string('Host of its service; its external addresses are used.'),
        address: string('Its IP address or host name.'),
        port: integer('Its port.', { minimum: 1, maximum: 65535 }),
        locality: string('Where it is: `region/zone/subzone`.'),
      },
      { oneOf: [['registryServiceName', 'address']], required: ['port'] },
    ),
    'Gateways by which other networks reach the endpoints.',
  ),
});

export const MeshNetworks = message('The networks of a mesh, for meshes whose endpoints do not all reach each other.', {
  networks: map(Network, 'The networks by name.'),
});

export type Network = Static<typeof Network>;
export type MeshNetworks = Static<typeof MeshNetworks>;
