import type { Message } from './message.ts';

const entry = (more: string): string => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: api
${more}spec:
  hosts: [api.example.com]
  resolution: DNS
  ports: [{number: 443, name: tls, protocol: TLS}]
`;

/** What depends on the proxies that run. */
export const flEngines: readonly Message[] = [
  {
    code: 'FL0701',
    name: 'NotCarriedOut',
    level: 'Warning',
    args: ['problem: string'],
    template: '{problem}',
    summary: 'Fairlead’s proxies do not carry out an object or a field, with either engine. Only with `--own-proxies`.',
    effect: 'Traffic flows as if it were not there; what would open access that way is refused by `fairlead up`.',
    hint: 'docs/fidelity.md has the whole list',
    wrong: entry('  labels: {istio.io/persistent-session: cookie}\n'),
    right: entry(''),
  },
];
