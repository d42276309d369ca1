import type { Static } from 'typebox';
import { message, port, string } from '../schema.ts';

/** A port of a service by its number. */
export const PortSelector = message('A port of a service.', {
  number: port('The number of the port.'),
});

export const Destination = message(
  'Where a request or connection is sent: a service, a subset of it, and a port.',
  {
    host: string(
      "The service's name: a Kubernetes service or a host of a ServiceEntry. A name without dots is looked up in the namespace of the rule, not of the client.",
    ),
    subset: string('A subset that a DestinationRule of the host defines. Default: all endpoints.'),
    port: PortSelector,
  },
  { required: ['host'] },
);

export type PortSelector = Static<typeof PortSelector>;
export type Destination = Static<typeof Destination>;
