import type { Message } from './message.ts';

const gateway = (name: string, servers: string, namespace = 'default'): string => `apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  selector: {istio: ingressgateway}
  servers:
${servers}`;

const https = (host: string, credential = 'shop'): string => `    - port: {number: 443, name: https, protocol: HTTPS}
      hosts: [${host}]
      tls: {mode: SIMPLE, credentialName: ${credential}}
`;

const http = (host: string, more = ''): string => `    - port: {number: 80, name: http, protocol: HTTP}
      hosts: [${host}]
${more}`;

/** What the mesh shows to the world. */
export const flGateways: readonly Message[] = [
  {
    code: 'FL0401',
    name: 'PlainTextExposed',
    level: 'Warning',
    args: ['host: []string', 'why: string'],
    template: '{host} is open in plain text: {why}',
    summary: 'A host that is served over TLS can be called without TLS as well, or port 443 speaks plain HTTP.',
    effect: 'Whoever is on the way reads and changes requests: passwords, cookies and tokens.',
    hint: 'Set `tls: {httpsRedirect: true}` on the plain server',
    wrong: gateway('public', http('shop.example.com') + https('shop.example.com')),
    right: gateway('public', http('shop.example.com', '      tls: {httpsRedirect: true}\n') + https('shop.example.com')),
  },
  {
    code: 'FL0402',
    name: 'HostInOthersWildcard',
    level: 'Info',
    args: ['host: string', 'wildcard: string', 'gateway: string'],
    template: '{host} is in {wildcard} of Gateway {gateway}, on the same port of the same proxies',
    summary: 'One Gateway serves a host over TLS, another one a wildcard that has the host in it.',
    effect:
      'Browsers use one connection for all hosts of a certificate: on a connection of the wildcard the routes of the single host are not there, and it answers 404.',
    hint: 'Serve both by one Gateway, or give them different addresses',
    wrong: `${gateway('all', https('"*.example.com"', 'wildcard'))}---\n${gateway('shop', https('shop.example.com'))}`,
    right: `${gateway('all', https('"*.example.org"', 'wildcard'))}---\n${gateway('shop', https('shop.example.com'))}`,
  },
  {
    code: 'FL0403',
    name: 'CredentialOfOtherNamespace',
    level: 'Info',
    args: ['credential: string', 'gateway: string'],
    template:
      'the credential {credential} is used by Gateway {gateway} of another namespace as well: both read the Secret of the proxies’ namespace',
    summary: 'Gateways of several namespaces name the same credential for the same proxies.',
    effect: 'Secrets are looked up where the proxies run: whoever may write a Gateway in one namespace serves hosts with the other’s key.',
    hint: 'Give each its own credential',
    wrong: `${gateway('shop', https('shop.example.com'), 'shop')}---\n${gateway('web', https('web.example.com'), 'web')}`,
    right: `${gateway('shop', https('shop.example.com'), 'shop')}---\n${gateway('web', https('web.example.com', 'web'), 'web')}`,
  },
];
