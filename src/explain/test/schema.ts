/** What a file of route tests may say: see docs/test.md. */
import type { TSchema } from 'typebox';
import { boolean, choice, duration, integer, list, map, message, string, strings, struct } from '../../config/kinds/schema.ts';

/** One of several forms. The types are written out in types.ts. */
const either = (alternatives: readonly TSchema[], description: string): TSchema =>
  ({ anyOf: alternatives, description }) as unknown as TSchema;

const oneOrMore = (item: TSchema, description: string): TSchema => either([item, list(item, description, { minItems: 1 })], description);

const text = (description: string): TSchema =>
  either(
    [
      string('Exactly this text.'),
      message(
        'A condition on a text.',
        {
          exact: string('Exactly this text.'),
          prefix: string('It begins so.'),
          suffix: string('It ends so.'),
          contains: string('It has this in it.'),
          regex: string('RE2 syntax; the whole text has to match, as in Envoy.'),
        },
        { oneOf: [['exact', 'prefix', 'suffix', 'contains', 'regex']] },
      ),
    ],
    description,
  );

const PORT = { minimum: 1, maximum: 65_535 };
const percent = (description: string): TSchema => ({ type: 'number', minimum: 0, maximum: 100, description }) as unknown as TSchema;

const target = {
  host: string('The service: in full, or `name`, `name.namespace`, `name.namespace.svc`; a bare name is that of any namespace.', {
    minLength: 1,
  }),
  subset: string('The subset; empty for none. Without it any will do.'),
  port: integer('The port of the service.', PORT),
};

const destination = either(
  [string('The service, any subset and port.', { minLength: 1 }), message('Where every request goes.', target)],
  'Where every request goes; faults apart.',
);

const headersOfRequest = map(string('The value.'), 'Names and values.', { propertyNames: { pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" } });
const headersExpected = map(text('The value.'), 'What headers must be there, and with which value.');

export const expectSchema = message(
  'What has to come of it. Every field that is given has to hold for every request of the test.',
  {
    destination,
    split: list(
      message(
        'One share.',
        { ...target, weight: integer('Its weight: shares are weights over their sum.', { minimum: 1, maximum: 1_000_000 }) },
        { required: ['weight'] },
      ),
      'All destinations and their shares; faults apart.',
      { minItems: 1 },
    ),
    cluster: string("Envoy's name of the cluster; empty for none."),
    route: string('The name of the route, as written in the VirtualService.'),
    virtualHost: string("Envoy's name of the virtual host; empty for none."),
    outcome: choice(
      [
        ...(['forward', 'passthrough', 'redirect', 'direct-response', 'denied', 'aborted', 'rejected', 'no-listener'] as const),
        ...(['no-filter-chain', 'no-route', 'no-cluster', 'no-endpoints', 'blackhole', 'closed'] as const),
      ],
      'How it ends, as `fairlead explain -o json` calls it; faults apart.',
    ),
    status: integer("The status of the proxy's own answer; faults apart.", { minimum: 100, maximum: 599 }),
    upstream: message('What the upstream gets.', {
      method: string('The method.'),
      host: text('The host, after rewriting.'),
      path: text('The path with its query, after rewriting.'),
      headers: headersExpected,
      withoutHeaders: strings('Headers that must not be there.', { minItems: 1 }),
    }),
    response: message("What the proxy adds to the upstream's answer, or answers itself.", {
      headers: headersExpected,
      withoutHeaders: strings('Headers that the proxy must not add.', { minItems: 1 }),
      body: text("The body of the proxy's own answer."),
      grpcStatus: integer("grpc-status of the proxy's own answer.", { minimum: 0, maximum: 16 }),
    }),
    redirect: message('The proxy redirects the client.', {
      status: integer('The status.', { minimum: 300, maximum: 399 }),
      location: text('Where to.'),
    }),
    fault: either(
      [
        choice(['none'], 'No fault at all.'),
        message('Injected faults. One that is not given must not be there.', {
          delay: message(
            'A delay.',
            { duration: duration('How long.'), percent: percent('Of the requests; 100 without it.') },
            { required: ['duration'] },
          ),
          abort: message(
            'An answer in place of the upstream’s.',
            {
              status: integer('HTTP status.', { minimum: 100, maximum: 599 }),
              grpcStatus: integer('gRPC status.', { minimum: 0, maximum: 16 }),
              percent: percent('Of the requests; 100 without it.'),
            },
            { oneOf: [['status', 'grpcStatus']] },
          ),
        }),
      ],
      'Injected faults, or `none`.',
    ),
    timeout: duration('The timeout of the whole request; 0s for none.', { zero: true }),
    retries: either(
      [
        choice(['none'], 'No retries at all.'),
        message('Retries.', {
          attempts: integer('How many more at most.', { minimum: 0, maximum: 1000 }),
          retryOn: oneOrMore(
            string('A condition, as in retryOn.', { minLength: 1 }),
            'Conditions that have to be among those of the route: words and statuses, in a list or with commas.',
          ),
          statusCodes: list(integer('A status.', { minimum: 100, maximum: 599 }), 'Exactly these statuses.'),
          perTryTimeout: duration('Of each attempt; 0s for none.', { zero: true }),
        }),
      ],
      'Retries, or `none`.',
    ),
    mirror: either(
      [
        choice(['none'], 'No mirror at all.'),
        message('A mirror.', { ...target, percent: percent('Of the requests; any without it.') }),
        list(message('A mirror.', { ...target, percent: percent('Of the requests; any without it.') }), 'Exactly these mirrors.', {
          minItems: 1,
        }),
      ],
      'Where copies go, or `none`.',
    ),
    cors: choice(['allowed', 'refused'], 'Whether the answer allows the Origin of the request.'),
    allowed: boolean('Whether authentication and authorization let it pass.'),
    policy: string('The AuthorizationPolicy or RequestAuthentication that decides: NAME or NAMESPACE/NAME.', { minLength: 1 }),
  },
  {
    oneOf: [
      ['destination', 'split'],
      ['destination', 'redirect'],
      ['split', 'redirect'],
    ],
  },
);

const who = {
  from: string('Who sends: the workload, NAME[.NAMESPACE].', { minLength: 1 }),
  to: string('It is judged where it arrives, at the proxy of this workload.', { minLength: 1 }),
  gateway: string('It comes from outside, through this gateway.', { minLength: 1 }),
};

export const testSchema = message(
  'One test: requests or connections, and what has to come of each.',
  {
    name: string('What it shows.', { minLength: 1 }),
    ...who,
    hosts: oneOrMore(string('[http:// or https://]HOST[:PORT].', { minLength: 1 }), 'Hosts that are asked.'),
    methods: oneOrMore(string('A method.', { pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" }), 'Methods; GET without it.'),
    paths: oneOrMore(string('A path with its query.', { pattern: '^/' }), 'Paths; / without it.'),
    headers: either(
      [headersOfRequest, list(headersOfRequest, 'Sets of headers.', { minItems: 1 })],
      'Headers, or sets of headers to try one after the other.',
    ),
    connections: oneOrMore(string('HOST:PORT.', { minLength: 1 }), 'TCP connections in place of requests.'),
    sni: string('The server name that TLS asks for; a connection with it is one with TLS.', { minLength: 1 }),
    sourceIp: string('The address of the client.', { minLength: 1 }),
    http2: boolean('HTTP/2 from the start, as gRPC.'),
    jwtClaims: struct('The payload of a token that is taken as genuine; without iss it is of the first issuer that is asked for.'),
    identity: string('The certificate that the client shows when TLS asks for one: spiffe://…, NAMESPACE/ACCOUNT or a DNS name.', {
      minLength: 1,
    }),
    tls: boolean('With `to`: mutual TLS, as the proxies of the mesh speak it. Without an identity the client shows no certificate.'),
    extAuthz: choice(['allow', 'deny'], 'What external authorization answers.'),
    expect: expectSchema,
  },
  {
    required: ['name', 'expect'],
    oneOf: [
      ['from', 'to'],
      ['from', 'gateway'],
      ['to', 'gateway'],
      ['hosts', 'connections'],
      ['methods', 'connections'],
      ['paths', 'connections'],
      ['headers', 'connections'],
      ['http2', 'connections'],
      ['jwtClaims', 'connections'],
    ],
  },
);

/** A whole document. */
export const testFileSchema = message(
  'Tests of routes and policies for `fairlead test`.',
  {
    defaults: message('For tests that name none of the three.', who, {
      oneOf: [
        ['from', 'to'],
        ['from', 'gateway'],
        ['to', 'gateway'],
      ],
    }),
    tests: list(testSchema, 'The tests.', { minItems: 1 }),
  },
  { required: ['tests'] },
);
