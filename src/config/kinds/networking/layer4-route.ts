import type { Static } from 'typebox';
import { int32, list, message, port, string, strings } from '../schema.ts';
import { Destination } from './destination.ts';
import { sourceConditions } from './http-match.ts';

export const RouteDestination = message(
  'One of the services that connections are shared between.',
  {
    destination: Destination,
    weight: int32('Its share, relative to the sum of all weights. May be left out for a single destination.', { minimum: 0 }),
  },
  { required: ['destination'] },
);

const destinationSubnets = strings('IP addresses or CIDRs that the client connects to.');
const matchPort = port('The port that the client connects to.');

export const L4MatchAttributes = message('Conditions on a TCP connection; all of them must hold.', {
  destinationSubnets,
  port: matchPort,
  sourceSubnet: string('IP address or CIDR of the client. Nothing acts on it.'),
  ...sourceConditions,
});

export const TLSMatchAttributes = message(
  'Conditions on a TLS connection that is not terminated; all of them must hold.',
  {
    sniHosts: strings(
      'Server names that the client asks for (SNI); wildcards such as `*.example.com` are allowed, within the hosts of the VirtualService.',
    ),
    destinationSubnets,
    port: matchPort,
    ...sourceConditions,
  },
  { required: ['sniHosts'] },
);

export const TCPRoute = message('A rule for TCP connections.', {
  match: list(L4MatchAttributes, 'The rule is for connections that meet any of these. Default: every connection.'),
  route: list(RouteDestination, 'Services that connections are shared between by weight.'),
});

export const TLSRoute = message(
  'A rule for TLS connections that are passed on without being terminated.',
  {
    match: list(TLSMatchAttributes, 'The rule is for connections that meet any of these.'),
    route: list(RouteDestination, 'Services that connections are shared between by weight.'),
  },
  { required: ['match'] },
);

export type RouteDestination = Static<typeof RouteDestination>;
export type L4MatchAttributes = Static<typeof L4MatchAttributes>;
export type TLSMatchAttributes = Static<typeof TLSMatchAttributes>;
export type TCPRoute = Static<typeof TCPRoute>;
export type TLSRoute = Static<typeof TLSRoute>;
