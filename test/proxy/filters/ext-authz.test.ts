import { isDeepStrictEqual } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Asked, grpcAuthz, httpAuthz } from './authz-services.ts';
import { type Answer, type Engine, echoBackend, get, type Setup, startEmbedded, startEnvoy } from './both-engines.ts';

const test = suite('external authorization filter');
const HTTP = 'type.googleapis.com/envoy.extensions.filters.http';

const post = (path: string, body: string, headers: readonly string[] = []): string =>
  `${get(path, [`content-length: ${body.length}`, ...headers], 'shop.test', 'POST')}${body}`;
const act = (what: string): string => `x-do: ${what}`;

type Case = readonly [title: string, status: number, request: string];

/** How long it took is no part of the comparison, that it is told is. */
function withoutDuration(answer: Answer): Answer {
  const metadata = answer.log['metadata'] as Record<string, unknown> | null | undefined;
  if (typeof metadata?.['ext_authz_duration'] === 'number') metadata['ext_authz_duration'] = 'told';
  return answer;
}

/** Asks both engines the same, with a service of each one's own. */
async function compare(
  cases: readonly Case[],
  setup: (authz: string) => Setup,
  start: typeof httpAuthz,
  stats: readonly string[],
): Promise<void> {
  const backend = await echoBackend();
  const asked: Asked[][] = [[], []];
  const services = [await start(asked[0]!), await start(asked[1]!)];
  const engines: Engine[] = [];
  try {
    for (const [i, run] of [startEmbedded, startEnvoy].entries()) {
      const made = setup(services[i]!.host);
      const engine = await run({ ...made, clusters: [{ name: 'backend', hosts: [backend.host] }, ...(made.clusters ?? [])] });
      if (engine !== undefined) engines.push(engine);
    }
    const wrong: string[] = [];
    for (const [title, status, request] of cases) {
      const answers: Answer[] = await Promise.all(engines.map((engine) => engine.send(request)));
      const [mine, theirs] = answers.map((answer, i) => ({ ...withoutDuration(answer), asked: asked[i]!.splice(0) }));
      if (mine!.status !== status) wrong.push(`${title}: ${mine!.status}, ${status} expected`);
      if (theirs !== undefined && !isDeepStrictEqual(mine, theirs))
        wrong.push(`${title}: ${JSON.stringify(mine)}\n  Envoy: ${JSON.stringify(theirs)}`);
    }
    assert.is(wrong.join('\n').replaceAll(services[1]!.host, services[0]!.host), '');
    const [embedded, envoy] = engines;
    for (const stat of stats) {
      assert.ok((await embedded!.stat(stat))! > 0, stat);
      if (envoy !== undefined) assert.is(await embedded!.stat(stat), await envoy.stat(stat), stat);
    }
  } finally {
    for (const engine of engines) await engine.close();
    for (const service of services) service.close();
    backend.server.close();
  }
}

const filter = (config: object): object => ({
  name: 'envoy.filters.http.ext_authz',
  typedConfig: { '@type': `${HTTP}.ext_authz.v3.ExtAuthz`, ...config },
});
const log = { metadata: '%DYNAMIC_METADATA(envoy.filters.http.ext_authz)%' };
const routes = [
  {
    match: { prefix: '/', headers: [{ name: 'x-tier', stringMatch: { exact: 'gold' } }] },
    directResponse: { status: 299, body: { inlineString: 'gold' } },
  },
  { match: { prefix: '/direct' }, directResponse: { status: 204 } },
  { match: { prefix: '/shop' }, route: { cluster: 'backend' } },
];

test('a service over HTTP', async () => {
  const cases: Case[] = [
    ['allowed', 200, get('/shop?a=b')],
    ['told headers', 200, get('/shop', ['authorization: Basic x', 'x-told: 1', 'x-told: 2', 'x-not: 1', 'X-Pre-fix: y'])],
    ['denied', 403, get('/shop', [act('deny 403')])],
    ['denied as unauthorized', 401, get('/shop', [act('deny 401')])],
    ['denied, HEAD', 401, get('/shop', [act('deny 401')], 'shop.test', 'HEAD')],
    ['denied with a 2xx', 201, get('/shop', [act('deny 201')])],
    ['redirected', 302, get('/shop', [act('redirect')])],
    ['headers', 200, get('/shop', [act('headers'), 'x-user: root', 'x-more: 0', 'x-secret: s', 'x-meta: m'])],
    ['the service fails', 500, get('/shop', [act('deny 503')])],
    ['the service breaks off', 500, get('/shop', [act('break')])],
    ['the service is slow', 500, get('/shop', [act('wait')])],
    ['no route', 404, get('/nowhere', [act('deny 403')])],
    ['a direct response', 403, get('/direct', [act('deny 403')])],
    ['an allowed direct response', 204, get('/direct')],
    ['a body', 200, post('/shop', 'hello')],
    ['a body that is denied', 403, post('/shop', 'hello', [act('deny 403')])],
    ['another method', 200, get('/shop', [], 'shop.test', 'DELETE')],
    ['a port', 200, get('/shop', [], 'Shop.Test:8080')],
  ];
  const setup = (authz: string): Setup => ({
    clusters: [{ name: 'authz', hosts: [authz] }],
    routes: routes as never,
    log,
    filters: [
      filter({
        httpService: {
          serverUri: { uri: 'http://authz.test', cluster: 'authz', timeout: '0.5s' },
          pathPrefix: '/check',
          authorizationRequest: {
            allowedHeaders: { patterns: [{ exact: 'x-do' }, { exact: 'x-told' }, { prefix: 'x-pre', ignoreCase: true }] },
            headersToAdd: [{ key: 'x-added', value: 'yes' }],
          },
          authorizationResponse: {
            allowedUpstreamHeaders: { patterns: [{ exact: 'x-user' }] },
            allowedUpstreamHeadersToAppend: { patterns: [{ exact: 'x-more' }] },
            allowedClientHeaders: { patterns: [{ exact: 'x-why' }, { exact: 'set-cookie' }] },
            allowedClientHeadersOnSuccess: { patterns: [{ exact: 'x-client' }] },
            dynamicMetadataFromHeaders: { patterns: [{ exact: 'x-meta' }] },
          },
        },
        statusOnError: { code: 'InternalServerError' },
        clearRouteCache: true,
      }),
    ],
  });
  await compare(
    cases,
    setup,
    httpAuthz,
    ['ok', 'denied', 'error'].map((name) => `http.test.ext_authz.${name}`),
  );
});

test('a service over HTTP that sees bodies, and may fail', async () => {
  const cases: Case[] = [
    ['no body', 200, get('/shop')],
    ['a small body', 200, post('/shop', 'hello')],
    ['as large as may be', 200, post('/shop', 'x'.repeat(10))],
    ['larger', 200, post('/shop', 'y'.repeat(5000))],
    ['a body in chunks', 200, `${get('/shop', ['transfer-encoding: chunked'], 'shop.test', 'POST')}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`],
    ['the service breaks off', 200, get('/shop', [act('break')])],
    ['denied with all its headers', 402, post('/shop', 'hello', [act('deny 402')])],
  ];
  const setup = (authz: string): Setup => ({
    clusters: [{ name: 'authz', hosts: [authz] }],
    routes: routes as never,
    filters: [
      filter({
        httpService: {
          serverUri: { uri: 'http://authz.test', cluster: 'authz', timeout: '0.5s' },
          authorizationRequest: { allowedHeaders: { patterns: [{ prefix: 'x-' }] } },
        },
        failureModeAllow: true,
        failureModeAllowHeaderAdd: true,
        withRequestBody: { maxRequestBytes: 10, allowPartialMessage: true },
        statPrefix: 'mine',
      }),
    ],
  });
  await compare(cases, setup, httpAuthz, ['http.test.ext_authz.mine.failure_mode_allowed', 'http.test.ext_authz.mine.ok']);
});

test('a service over gRPC', async () => {
  const cases: Case[] = [
    ['allowed', 200, get('/shop?a=b', ['x-told: 1', 'x-told: 2', 'x-empty:'])],
    ['denied', 403, get('/shop', [act('deny')])],
    ['denied with more', 401, get('/shop', [act('deny-more')])],
    [
      'headers',
      200,
      get('/shop?drop=1&a=b', [
        act('headers'),
        'x-set: old',
        'x-appended: 0',
        'x-plain: 0',
        'x-if-absent: 0',
        'x-over: 0',
        'x-if-there: 0',
        'x-secret: s',
      ]),
    ],
    ['headers where there were none', 200, get('/shop', [act('headers')])],
    ['another route', 299, get('/shop', [act('routed')])],
    ['a failure', 403, get('/shop', [act('fail')])],
    ['junk', 403, get('/shop', [act('junk')])],
    ['too slow', 403, get('/shop', [act('wait')])],
    ['a body', 200, post('/shop', 'hello')],
    ['a body that is too large', 413, post('/shop', 'x'.repeat(200))],
    ['a service cluster', 200, get('/shop', ['x-envoy-downstream-service-cluster: web'])],
  ];
  const setup = (authz: string): Setup => ({
    clusters: [{ name: 'authz', hosts: [authz], http2: true }],
    routes: routes as never,
    log,
    filters: [
      filter({
        grpcService: { envoyGrpc: { clusterName: 'authz' }, timeout: '0.5s' },
        transportApiVersion: 'V3',
        clearRouteCache: true,
        withRequestBody: { maxRequestBytes: 100, packAsBytes: true },
        disallowedHeaders: { patterns: [{ exact: 'x-not' }] },
      }),
    ],
  });
  await compare(
    cases,
    setup,
    grpcAuthz,
    ['ok', 'denied', 'error'].map((name) => `http.test.ext_authz.${name}`),
  );
});

test.run();
