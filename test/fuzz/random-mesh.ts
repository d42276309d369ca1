/** Random meshes that are valid and leave nothing to chance: weights are 0 or 100, faults happen always, each subset has one endpoint. */
import type { Random } from '../config/random.ts';
import type { BackendSpec, Reply } from '../contract/case.ts';
import type { FuzzMesh, Json } from './types.ts';
import { HEADER_VALUES, HEADERS, HOSTS, PATHS } from './words.ts';

type Make<T> = (r: Random) => T;

const maybe = <T extends object>(r: Random, oneIn: number, make: Make<T>): T | Record<string, never> =>
  r.below(oneIn) === 0 ? make(r) : {};
const some = <T>(r: Random, most: number, make: Make<T>): T[] => Array.from({ length: 1 + r.below(most) }, () => make(r));

const stringMatch: (words: readonly string[]) => Make<Json> = (words) => (r) => {
  const word = r.pick(words);
  return r.pick<Json>([
    { exact: word },
    { prefix: word.slice(0, 1 + r.below(word.length)) },
    { regex: r.pick(['.*', '.+', '/[a-z]+', '(?i)/A.*', '.*1.*', '[^/]*', '/a(/.*)?', `${word.replace(/[^\w/-]/g, '.')}`]) },
  ]);
};

const headerMatch: Make<Json> = (r) => (r.below(4) === 0 ? {} : stringMatch(HEADER_VALUES.filter((v) => v !== '' && v.length < 40))(r));
const headerMatches: Make<Json> = (r) => Object.fromEntries(some(r, 2, () => [r.pick(HEADERS), headerMatch(r)]));

const match: Make<Json> = (r) => ({
  ...maybe(r, 2, () => ({ uri: stringMatch(PATHS)(r), ...maybe(r, 3, () => ({ ignoreUriCase: true })) })),
  ...maybe(r, 5, () => ({ method: r.pick([{ exact: 'GET' }, { exact: 'POST' }, { prefix: 'P' }, { regex: 'GET|HEAD' }]) })),
  ...maybe(r, 8, () => ({ authority: stringMatch(HOSTS)(r) })),
  ...maybe(r, 10, () => ({ scheme: r.pick([{ exact: 'http' }, { exact: 'https' }, { prefix: 'h' }]) })),
  ...maybe(r, 3, () => ({ headers: headerMatches(r) })),
  ...maybe(r, 6, () => ({ withoutHeaders: headerMatches(r) })),
  ...maybe(r, 5, () => ({
    queryParams: { [r.pick(['q', 'x', 'a b'])]: r.pick<Json>([{ exact: '1' }, { exact: '' }, { prefix: '1' }, { regex: '[0-9]+' }]) },
  })),
  ...maybe(r, 10, () => ({ port: r.pick([80, 81]) })),
});

const HEADER_TEMPLATES = [
  'v',
  'a,b',
  '%REQ(x-a)%',
  '%REQ(:PATH)%',
  '%PROTOCOL%',
  '100%%',
  '%REQ(X-NONE?:METHOD)%',
  '"q"',
  '%REQ(:authority)%',
];
const operations: Make<Json> = (r) => ({
  ...maybe(r, 2, () => ({ set: { [r.pick(HEADERS)]: r.pick(HEADER_TEMPLATES) } })),
  ...maybe(r, 2, () => ({ add: { [r.pick(HEADERS)]: r.pick(HEADER_TEMPLATES) } })),
  ...maybe(r, 2, () => ({ remove: [r.pick(HEADERS)] })),
});
const headerRules: Make<Json> = (r) => ({
  headers: { ...maybe(r, 2, () => ({ request: operations(r) })), ...maybe(r, 2, () => ({ response: operations(r) })) },
});

const DESTINATIONS = ['a', 'b', 'c', 'refuse', 's/v1', 's/v2', 's/v9', 'ext.test', 'nobody', 'a.default.svc.cluster.local'];
const destination: Make<Json> = (r) => {
  const [host = '', subset] = r.pick(DESTINATIONS).split('/');
  return { host, ...(subset !== undefined && { subset }), ...maybe(r, 6, () => ({ port: { number: 80 } })) };
};

const rewrite: Make<Json> = (r) =>
  r.pick<Json>([
    { uri: r.pick(['/', '/new', '/new/', '//', '/%41']) },
    { authority: r.pick(['new.test', 'New.Test:8080']) },
    { uri: '/both', authority: 'both.test' },
    {
      uriRegexRewrite: {
        match: r.pick(['/(.*)', '^/a/([^/]+)', '([a-z])', '(/)x*']),
        rewrite: r.pick(['/r/\\1', '/\\0', '/fixed', '/\\2', 'no-slash', '\\0\\\\']),
      },
    },
  ]);

const redirect: Make<Json> = (r) => ({
  ...maybe(r, 2, () => ({ uri: r.pick(['/to', '%PREFIX()%', '/to?x=y', '/']) })),
  ...maybe(r, 2, () => ({ authority: r.pick(['to.test', 'to.test:8080']) })),
  ...maybe(r, 3, () =>
    r.pick<Json>([
      { port: 80 },
      { port: 443 },
      { port: 8080 },
      { derivePort: 'FROM_PROTOCOL_DEFAULT' },
      { derivePort: 'FROM_REQUEST_PORT' },
    ]),
  ),
  ...maybe(r, 3, () => ({ scheme: r.pick(['https', 'http']) })),
  ...maybe(r, 2, () => ({ redirectCode: r.pick([301, 302, 303, 307, 308]) })),
});

const cors: Make<Json> = (r) => ({
  allowOrigins: some(r, 2, () => r.pick<Json>([{ exact: 'http://o.test' }, { prefix: 'http://' }, { regex: '.*\\.test' }, { exact: '*' }])),
  ...maybe(r, 2, () => ({ allowMethods: ['GET', 'PUT'] })),
  ...maybe(r, 2, () => ({ allowHeaders: ['x-a', 'x-b'] })),
  ...maybe(r, 2, () => ({ exposeHeaders: ['x-c'] })),
  ...maybe(r, 2, () => ({ maxAge: '60s' })),
  ...maybe(r, 2, () => ({ allowCredentials: r.below(2) === 0 })),
  ...maybe(r, 3, () => ({ unmatchedPreflights: r.pick(['FORWARD', 'IGNORE']) })),
});

const routed: Make<Json> = (r) => {
  const one = (weight?: number): Json => ({
    destination: destination(r),
    ...(weight !== undefined && { weight }),
    ...maybe(r, 5, headerRules),
  });
  return {
    route: r.below(4) === 0 ? [one(100), one(0)] : [one()],
    ...maybe(r, 4, () => ({ rewrite: rewrite(r) })),
    ...maybe(r, 4, () => ({
      retries: {
        attempts: 1 + r.below(2),
        retryOn: r.pick(['5xx', 'gateway-error', 'connect-failure', '503', 'retriable-4xx', 'reset']),
        backoff: '1ms',
      },
    })),
    ...maybe(r, 8, () => ({ timeout: '10s' })),
    ...maybe(r, 6, () => ({ corsPolicy: cors(r) })),
    ...maybe(r, 10, () => ({ fault: { abort: { httpStatus: r.pick([418, 503, 200]), percentage: { value: r.pick([100, 0]) } } } })),
  };
};

const rule: Make<Json> = (r) => ({
  ...maybe(r, 2, () => ({ name: r.pick(['one', 'two', 'three']) })),
  ...(r.below(5) > 0 ? { match: some(r, 2, match) } : {}),
  ...(() => {
    const n = r.below(12);
    if (n === 0) return { redirect: { uri: '/moved', ...redirect(r) } };
    if (n === 1)
      return {
        directResponse: {
          status: r.pick([200, 201, 204, 301, 304, 404, 503]),
          ...maybe(r, 2, () => ({ body: { string: r.pick(['direct', '', 'é']) } })),
        },
      };
    if (n === 2) return { delegate: { name: r.pick(['d0', 'd1']) } };
    return routed(r);
  })(),
  ...maybe(r, 4, headerRules),
});

const document = (kind: string, name: string, spec: Json): Json => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  metadata: { name },
  spec,
});

const replies: Make<Reply> = (r) => ({
  ...maybe(r, 4, () => ({ status: r.pick([201, 204, 301, 304, 404, 418, 500, 503]) })),
  ...maybe(r, 2, () => ({
    headers: Object.fromEntries(
      some(r, 3, () => [
        r.pick([
          'x-a',
          'x-c',
          'set-cookie',
          'server',
          'via',
          'x-envoy-upstream-service-time',
          'vary',
          'date',
          'x-request-id',
          'access-control-allow-origin',
          'location',
        ]),
        r.pick<string | string[]>(['1', ['1', '2'], '', 'keep-alive', ' spaced ', 'http://a/x']),
      ]),
    ),
  })),
  ...maybe(r, 5, () => ({ body: r.pick(['', 'x', 'é']), repeat: r.pick([1, 1000, 70_000]) })),
});

function backends(r: Random): Record<string, BackendSpec> {
  return {
    a: { service: 'a', reply: replies(r) },
    b: { service: 'b', reply: replies(r) },
    c:
      r.below(2) === 0
        ? { service: 'c', reply: replies(r) }
        : { service: 'c', protocol: r.pick(['http2', 'grpc']), reply: maybe(r, 2, () => ({ trailers: { 'x-trailer': 'end' } })) },
    v1: { service: 's' },
    v2: { service: 's' },
    refuse: { service: 'refuse', kind: 'refuse' },
    ext: {},
  };
}

/** A mesh of a few services, the routes to them, and now and then a gateway, policies and a scope. */
export function randomMesh(r: Random): FuzzMesh {
  const documents: Json[] = [
    document('DestinationRule', 's', {
      host: 's',
      subsets: [
        { name: 'v1', labels: { version: 'v1' } },
        { name: 'v2', labels: { version: 'v2' } },
      ],
    }),
    document('ServiceEntry', 'ext', {
      hosts: ['ext.test'],
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
      resolution: 'STATIC',
      endpoints: [{ address: '127.0.0.1', ports: { http: '$port(ext)' } }],
    }),
    document('Gateway', 'gw', {
      selector: { istio: 'ingressgateway' },
      servers: [
        {
          port: { number: '$port(gw)', name: 'http', protocol: 'HTTP' },
          hosts: r.pick([['*'], ['web.test', '*.wild.test'], ['default/web.test']]),
          ...maybe(r, 15, () => ({ tls: { httpsRedirect: true } })),
        },
      ],
    }),
  ];
  for (let i = 0; i < 1 + r.below(3); i++) {
    const gateways = r.pick([undefined, ['gw'], ['gw', 'mesh']]);
    documents.push(
      document('VirtualService', `v${i}`, {
        hosts: r.pick([['web.test'], ['*.wild.test'], ['a'], ['ext.test'], ['api.wild.test', 'web.test'], ['s', 'a'], ['*.test']]),
        ...(gateways && { gateways }),
        http: some(r, 4, rule),
      }),
    );
  }
  for (const name of ['d0', 'd1'])
    documents.push(
      document('VirtualService', name, { http: some(r, 2, (x) => ({ ...maybe(x, 2, () => ({ match: [match(x)] })), ...routed(x) })) }),
    );
  if (r.below(3) === 0)
    documents.push(
      document('DestinationRule', 'a', {
        host: r.pick(['a', 'b', '*.default.svc.cluster.local']),
        trafficPolicy: r.pick<Json>([
          { connectionPool: { http: { h2UpgradePolicy: 'UPGRADE' } } },
          { connectionPool: { http: { maxRequestsPerConnection: 1 } } },
          { loadBalancer: { consistentHash: { httpHeaderName: 'x-a' } } },
          { loadBalancer: { consistentHash: { httpCookie: { name: 'sticky', ttl: '0s' } } } },
        ]),
      }),
    );
  if (r.below(6) === 0)
    documents.push(
      document('Sidecar', 'default', { egress: [{ hosts: r.pick([['./*'], ['*/a.default.svc.cluster.local'], ['~/*', './*']]) }] }),
    );
  return { backends: backends(r), documents };
}
