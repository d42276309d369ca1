import type { Message } from './message.ts';

const entry = (name: string, port: string, more = ''): string => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: ${name}
spec:
  hosts:
    - db.example.com
${more}  resolution: DNS
  ports:
    - ${port}
`;

/** Services outside the mesh. */
export const serviceEntries: readonly Message[] = [
  {
    code: 'IST0134',
    name: 'ServiceEntryAddressesRequired',
    level: 'Warning',
    args: [],
    template: 'a TCP port without `addresses` takes the connections of all hosts to that port number',
    summary: 'A TCP port of a ServiceEntry has no address to know its connections by.',
    effect:
      'Connections to any other host on that port go to this service, unless the control plane allocates an address (newer versions do).',
    hint: 'Add `addresses`, or say HTTP or TLS as `protocol` if that is spoken',
    wrong: entry('db', '{number: 5432, name: tcp, protocol: TCP}'),
    right: entry('db', '{number: 5432, name: tcp, protocol: TCP}', '  addresses: [203.0.113.7]\n'),
  },
  {
    code: 'IST0177',
    name: 'ConflictingServiceEntryProtocol',
    level: 'Warning',
    args: ['serviceEntryNames: string', 'host: string', 'port: int', 'protocols: string'],
    template: 'the ServiceEntries {serviceEntryNames} disagree about the protocol of {host}, port {port}: {protocols}',
    summary: 'ServiceEntries give one host and port different protocols.',
    effect: 'One of them wins; requests are then handled by the wrong protocol, for instance routed as TCP.',
    hint: 'Keep one ServiceEntry a host and port',
    wrong: `${entry('a', '{number: 80, name: http, protocol: HTTP}')}---\n${entry('b', '{number: 80, name: tls, protocol: TLS}')}`,
    right: `${entry('a', '{number: 80, name: http, protocol: HTTP}')}---\n${entry('b', '{number: 443, name: tls, protocol: TLS}')}`,
  },
];
