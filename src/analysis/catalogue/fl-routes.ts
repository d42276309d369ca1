import type { Message } from './message.ts';

const vs = (name: string, rules: string, more = ''): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: ${name}
spec:
  hosts: [shop.example.com]
${more}  http:
${rules}`;

const rule = (match: string, more = ''): string => `    - match: [{${match}}]
${more}      route:
        - destination: {host: shop.example.com}
`;

const rest = (more = ''): string => `    - route:
        - destination: {host: shop.example.com}
${more}`;

const split = (first: string, second: string): string => `    - route:
        - destination: {host: shop.example.com}
          weight: ${first}
        - destination: {host: new.example.com}
          weight: ${second}
`;

const gateway = `---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: public
spec:
  selector: {istio: ingressgateway}
  servers:
    - port: {number: 80, name: http, protocol: HTTP}
      hosts: [shop.example.com]
`;

const external = (host: string, location: string): string => `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: ${host.split('.')[0]}
spec:
  hosts: [${host}]
  location: ${location}
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}]
`;

const mirrored = (to: string): string => `${vs('shop', rest(`      mirror: {host: ${to}}\n`))}`;
const bound = '  gateways: [public]\n';

/** Routes of VirtualServices. */
export const flRoutes: readonly Message[] = [
  {
    code: 'FL0101',
    name: 'UnreachableRoute',
    level: 'Warning',
    args: ['earlier: string'],
    template: 'no request gets here: {earlier} takes all of them before it',
    summary: 'Every request of a route is taken by an earlier one, as the computed Envoy routes show.',
    effect: 'The route is never used: requests go where the earlier one sends them.',
    hint: 'Put the narrower rule first',
    wrong: vs('shop', rule('uri: {prefix: /api}') + rule('uri: {exact: /api/health}')),
    right: vs('shop', rule('uri: {exact: /api/health}') + rule('uri: {prefix: /api}')),
  },
  {
    code: 'FL0102',
    name: 'ShadowedByOtherVirtualService',
    level: 'Warning',
    args: ['host: string', 'gateway: string', 'other: string'],
    template: 'no request of {host} gets here at Gateway {gateway}: VirtualService {other} takes all of them before it',
    summary: 'A gateway puts the routes of several VirtualServices for one host one after the other; this one comes too late.',
    effect: 'The route is never used at the gateway. The order is by age, and in files by name: it can change when an object is made anew.',
    hint: 'Write the routes of one host into one VirtualService, or delegate',
    wrong: `${vs('a', rule('uri: {prefix: /api}'), bound)}---\n${vs('b', rule('uri: {prefix: /api/v2}'), bound)}${gateway}`,
    right: `${vs('a', rule('uri: {prefix: /api/v2}'), bound)}---\n${vs('b', rule('uri: {prefix: /api}'), bound)}${gateway}`,
  },
  {
    code: 'FL0103',
    name: 'WeightsNotHundred',
    level: 'Info',
    args: ['weights: string', 'sum: int'],
    template: 'the weights {weights} are {sum} together, not 100: they are shares of the sum, no percentages',
    summary: 'The weights of a rule do not add up to 100.',
    effect: 'Each destination gets its share of the sum, another one than the numbers seem to say; one without a weight gets nothing.',
    wrong: vs('shop', split('90', '20')),
    right: vs('shop', split('80', '20')),
  },
  {
    code: 'FL0104',
    name: 'RetriesOutlastTimeout',
    level: 'Warning',
    args: ['tries: int', 'perTryTimeout: string', 'timeout: string', 'possible: int'],
    template: '{tries} tries of {perTryTimeout} do not fit into the timeout of {timeout}: there is room for {possible}',
    summary: 'All tries together may take longer than the whole request.',
    effect: 'The request ends with 504 before the last tries are made.',
    hint: 'Raise `timeout`, or lower `perTryTimeout` or `attempts`',
    wrong: vs('shop', rest('      timeout: 5s\n      retries: {attempts: 3, perTryTimeout: 2s}\n')),
    right: vs('shop', rest('      timeout: 8s\n      retries: {attempts: 3, perTryTimeout: 2s}\n')),
  },
  {
    code: 'FL0105',
    name: 'TimeoutEndsStreams',
    level: 'Warning',
    args: ['timeout: string', 'what: string'],
    template: 'the timeout of {timeout} ends {what} that are open that long, however busy they are',
    summary: 'A timeout is set for requests that stay open: WebSockets, or gRPC methods that are known to stream.',
    effect:
      'The proxy cuts the stream when the time is over. (gRPC methods in general do not say whether they stream: only gRPC’s own are known.)',
    hint: 'Route them by a rule of their own without `timeout`',
    wrong: vs('shop', rule('headers: {upgrade: {exact: websocket}}', '      timeout: 10s\n')),
    right: vs('shop', rule('headers: {upgrade: {exact: websocket}}')),
  },
  {
    code: 'FL0106',
    name: 'FaultLeftOn',
    level: 'Warning',
    args: ['share: float', 'what: string'],
    template: '{share}% of ordinary requests {what}: is fault injection left on?',
    summary: 'A fault is injected into more than 5% of requests, and not only into those that a header or parameter selects.',
    effect: 'Users get the delay or the error.',
    hint: 'Take it out, or match on a header that only tests send',
    wrong: vs('shop', rest('      fault: {abort: {httpStatus: 503, percentage: {value: 50}}}\n')),
    right: vs(
      'shop',
      rule('headers: {x-test: {exact: "yes"}}', '      fault: {abort: {httpStatus: 503, percentage: {value: 50}}}\n') + rest(),
    ),
  },
  {
    code: 'FL0107',
    name: 'MirrorToLive',
    level: 'Warning',
    args: ['target: string'],
    template: 'copies of requests go to {target} which real requests are sent to as well',
    summary: 'A mirror leads to a destination that some route sends real traffic to.',
    effect: 'What a request does is done twice: orders, mails and writes too. Answers to copies are dropped, what they did is not.',
    hint: 'Mirror to a version that no route leads to, with data of its own',
    wrong: mirrored('shop.example.com'),
    right: mirrored('copy.example.com') + external('copy.example.com', 'MESH_INTERNAL'),
  },
  {
    code: 'FL0108',
    name: 'MirrorLeavesMesh',
    level: 'Warning',
    args: ['host: string'],
    template: 'copies of requests, with their cookies and tokens, go to {host} outside of the mesh',
    summary: 'A mirror leads to a host outside of the mesh.',
    effect: 'Whoever runs that host reads every request.',
    wrong: mirrored('copy.example.com') + external('copy.example.com', 'MESH_EXTERNAL'),
    right: mirrored('copy.example.com') + external('copy.example.com', 'MESH_INTERNAL'),
  },
  {
    code: 'FL0109',
    name: 'MatchNever',
    level: 'Warning',
    args: ['value: string', 'why: string'],
    template: 'nothing matches {value}: {why}',
    summary: 'No path or value can meet a condition.',
    effect: 'The route is never used by this match.',
    wrong: vs('shop', rule('uri: {regex: "/products\\\\?id=.*"}')),
    right: vs('shop', rule('uri: {exact: /products}, queryParams: {id: {regex: ".*"}}')),
  },
  {
    code: 'FL0110',
    name: 'CostlyRegex',
    level: 'Warning',
    args: ['size: int', 'limit: int'],
    template: 'the expression compiles to a program of about {size} instructions; over {limit} proxies refuse it',
    summary: 'An expression compiles to a large program, by repetition of repetitions mostly.',
    effect: 'Each request pays for it in time and each proxy in memory; beyond the limit the whole route configuration is refused.',
    hint: 'Repeat by `*` or `+` in place of a count',
    wrong: vs('shop', rule('uri: {regex: "/(?:[a-z]{1,20}/){1,40}"}')),
    right: vs('shop', rule('uri: {regex: "/(?:[a-z]+/)+"}')),
  },
  {
    code: 'FL0111',
    name: 'HeaderNameCase',
    level: 'Info',
    args: ['name: string', 'lower: string'],
    template: 'the header {name} is written with capitals: proxies know it as {lower}',
    summary: 'The name of a header in a match has capitals.',
    effect: 'Istio’s documentation asks for lower case; other readers of the file may compare it exactly.',
    wrong: vs('shop', rule('headers: {X-User: {exact: anna}}')),
    right: vs('shop', rule('headers: {x-user: {exact: anna}}')),
  },
];
