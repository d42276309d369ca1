import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { as, list, message, port, string, stringMap, strings } from '../schema.ts';
import { ServerTLSSettings } from './server-tls.ts';

export const Port = message(
  'A port that a gateway listens on.',
  {
    number: port('Its number.'),
    protocol: string(
      'What is spoken on it: `HTTP`, `HTTPS`, `GRPC`, `GRPC-Web`, `HTTP2`, `MONGO`, `TCP` or `TLS`. TLS is passed on or terminated without looking at HTTP.',
    ),
    name: string('Its name, unique within the Gateway.'),
    targetPort: port('Nothing acts on it.', { deprecated: true }),
  },
  { required: ['number', 'protocol', 'name'] },
);

export const Server = message(
  'A port of a gateway, and the hosts that are served on it.',
  {
    port: Port,
    bind: string('IP address or `unix://` path to listen on. Default: all addresses.'),
    hosts: strings(
      'Hosts that are served: names or wildcards, as `host` or `namespace/host`. The namespace (`*` any, `.` its own) says whose VirtualServices may attach. Default namespace: `*`.',
    ),
    tls: as(ServerTLSSettings, 'How the server secures connections. Needed for HTTPS and TLS.'),
    defaultEndpoint: string('Nothing acts on it.'),
    name: string('A name for statistics.'),
  },
  { required: ['port', 'hosts'] },
);

export const Gateway = message('Ports and hosts that gateway proxies serve.', {
  servers: list(Server, 'The ports, each with its hosts.'),
  selector: stringMap('Labels of the proxies that serve this, in any namespace. Default: all gateway proxies.'),
});

export type Port = Static<typeof Port>;
export type Server = Static<typeof Server>;
export type Gateway = Static<typeof Gateway>;

export const gateway = defineKind({
  kind: 'Gateway',
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  plural: 'gateways',
  shortNames: ['gw'],
  scope: 'Namespaced',
  description: 'Opens ports at the edge of the mesh: hosts, protocols and TLS; VirtualServices say where requests go.',
  payload: 'spec',
  schema: Gateway,
  unknownFields: 'refuse',
});
