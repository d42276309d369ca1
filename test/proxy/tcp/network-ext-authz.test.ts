import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../support/http.ts';
import { type Asked, grpcAuthz } from '../filters/authz-services.ts';
import { cluster, downstream, httpOptions, mutual, TLS_INSPECTOR } from '../tls/configs.ts';
import { caSecret, certificateSecret, createPki } from '../tls/pki.ts';
import {
  type Backend,
  startBackend,
  startEmbedded,
  startEnvoy,
  type TcpCase,
  type TcpClient,
  type TcpEngine,
  talk,
} from './both-engines.ts';

const test = suite('external authorization network filter');
const NETWORK = 'type.googleapis.com/envoy.extensions.filters.network';

const pki = await createPki();
const server = await pki.issue({ uris: ['spiffe://cluster.local/ns/default/sa/db'] });
const billing = await pki.issue({ uris: ['spiffe://cluster.local/ns/default/sa/billing'] });
const byBilling: TcpClient = { tls: { ca: pki.ca, show: billing, servername: 'db.test' } };

const filter = (config: object = {}): object => ({
  name: 'envoy.filters.network.ext_authz',
  typedConfig: {
    '@type': `${NETWORK}.ext_authz.v3.ExtAuthz`,
    statPrefix: 'tcp.',
    grpcService: { envoyGrpc: { clusterName: 'authz' }, timeout: '0.5s' },
    transportApiVersion: 'V3',
    ...config,
  },
});
const rbac = (config: object): object => ({
  name: 'envoy.filters.network.rbac',
  typedConfig: { '@type': `${NETWORK}.rbac.v3.RBAC`, statPrefix: 'tcp.', ...config },
});

/** As Istio writes CUSTOM: asked is about what the shadow rules match. */
function custom(matches: boolean): object[] {
  const policies = { 'istio-ext-authz-mine-ns[a]-policy[b]-rule[0]': { permissions: [{ any: true }], principals: [{ any: matches }] } };
  if (!matches) policies['istio-ext-authz-mine-ns[a]-policy[b]-rule[0]'].principals = [{ notId: { any: true } }] as never;
  return [
    rbac({ shadowRules: { action: 'DENY', policies }, shadowRulesStatPrefix: 'istio_ext_authz_' }),
    filter({
      filterEnabledMetadata: {
        filter: 'envoy.filters.network.rbac',
        path: [{ key: 'istio_ext_authz_shadow_effective_policy_id' }],
        value: { stringMatch: { prefix: 'istio-ext-authz-mine' } },
      },
    }),
  ];
}
const byMetadata = {
  action: 'ALLOW',
  policies: {
    jason: {
      permissions: [{ any: true }],
      principals: [
        { metadata: { filter: 'envoy.filters.network.ext_authz', path: [{ key: 'user' }], value: { stringMatch: { exact: 'jason' } } } },
      ],
    },
  },
};
const overTls = { chain: { transportSocket: downstream(mutual()) }, listener: { listenerFilters: [TLS_INSPECTOR] } };

interface Case extends TcpCase {
  client?: TcpClient;
  /** What the service does; undefined: it must not be asked. */
  answer: string | undefined;
  passes: boolean;
}

const CASES: Readonly<Record<string, Case>> = {
  allowed: { filters: [filter()], answer: '', passes: true },
  denied: { filters: [filter()], answer: 'deny', passes: false },
  'denied-with-http': { filters: [filter()], answer: 'deny-more', passes: false },
  fails: { filters: [filter()], answer: 'fail', passes: false },
  junk: { filters: [filter()], answer: 'junk', passes: false },
  slow: { filters: [filter()], answer: 'wait', passes: false },
  'fails-open': { filters: [filter({ failureModeAllow: true })], answer: 'fail', passes: true },
  'slow-open': { filters: [filter({ failureModeAllow: true })], answer: 'wait', passes: true },
  'denied-though-open': { filters: [filter({ failureModeAllow: true })], answer: 'deny', passes: false },
  metadata: { filters: [filter()], answer: 'headers', passes: true },
  'metadata-for-rules': { filters: [filter(), rbac({ rules: byMetadata })], answer: 'headers', passes: true },
  'no-metadata-for-rules': { filters: [filter(), rbac({ rules: byMetadata })], answer: '', passes: false },
  custom: { filters: custom(true), answer: 'deny', passes: false },
  'custom-allowed': { filters: custom(true), answer: '', passes: true },
  'custom-of-others': { filters: custom(false), answer: undefined, passes: true },
  'rules-deny-first': {
    filters: [rbac({ rules: { action: 'ALLOW', policies: {} } }), filter()],
    answer: undefined,
    passes: false,
  },
  'rules-deny-later': { filters: [filter(), rbac({ rules: { action: 'ALLOW', policies: {} } })], answer: '', passes: false },
  tls: { filters: [filter()], ...overTls, client: byBilling, answer: '', passes: true },
  'tls-denied': { filters: [filter()], ...overTls, client: byBilling, answer: 'deny', passes: false },
  'tls-told-more': {
    filters: [filter({ includePeerCertificate: true, includeTlsSession: true })],
    ...overTls,
    client: byBilling,
    answer: '',
    passes: true,
  },
};

const STATS = [
  // Not `disabled`, which Envoy counts at each arrival of bytes.
  ...['total', 'ok', 'denied', 'error', 'failure_mode_allowed', 'cx_closed', 'active'].map((name) => `ext_authz.tcp..${name}`),
  'tcp.rbac.allowed',
  'tcp.rbac.denied',
  'tcp.rbac.istio_ext_authz_.shadow_denied',
];

interface Started {
  engine: TcpEngine;
  backend: Backend;
  asked: Asked[];
  answer: string;
}

async function withEngine<T>(start: typeof startEnvoy, look: (started: Started) => Promise<T>): Promise<T | undefined> {
  const asked: Asked[] = [];
  const started = { asked, answer: '' } as Started;
  const service = await grpcAuthz(asked, () => started.answer);
  started.backend = await startBackend();
  const http2 = httpOptions({ explicitHttpConfig: { http2ProtocolOptions: {} } });
  const clusters = [cluster('backend', started.backend.port), cluster('authz', Number(service.host.split(':')[1]), http2)];
  const secrets = [certificateSecret('default', server), caSecret('ROOTCA', pki.ca)];
  let engine: TcpEngine | undefined;
  try {
    engine = await start({ cases: CASES, clusters, secrets });
    if (engine === undefined) return undefined;
    started.engine = engine;
    return await look(started);
  } finally {
    await engine?.close();
    service.close();
    started.backend.close();
  }
}

/** How long it took is no part of the comparison, that it is told is. */
function withoutDuration(log: Readonly<Record<string, unknown>>): unknown {
  const authz = log['authz'] as Record<string, unknown> | null;
  return typeof authz?.['ext_authz_duration'] === 'number' ? { ...log, authz: { ...authz, ext_authz_duration: 'told' } } : log;
}

async function observe(started: Started): Promise<Record<string, unknown>> {
  const { engine, backend, asked } = started;
  const found: Record<string, unknown> = {};
  for (const [name, { client, answer, passes }] of Object.entries(CASES)) {
    started.answer = answer ?? 'deny';
    const { heard, connections } = backend;
    assert.is(await talk(engine.port(name), client), passes ? 'hello.' : '', `${engine.name}: ${name}`);
    if (!passes) {
      assert.is(backend.heard, heard, `${engine.name}: ${name}: bytes went to the upstream`);
      if (engine.name === 'embedded') assert.is(backend.connections, connections, `${name}: the upstream was connected`);
    }
    const questions = asked.splice(0);
    assert.is(questions.length, answer === undefined ? 0 : 1, `${engine.name}: ${name}`);
    found[name] = { log: withoutDuration(await engine.log(name)), asked: questions };
  }
  for (const stat of STATS) found[stat] = await engine.stat(stat);
  return found;
}

test('a service decides about connections as in Envoy', async () => {
  const mine = (await withEngine(startEmbedded, observe))!;
  const theirs = await withEngine(startEnvoy, observe);
  const of = (name: string): { log: Record<string, unknown>; asked: Asked[] } => mine[name] as never;
  assert.equal([of('denied').log['flags'], of('denied').log['details']], ['UAEX', 'ext_authz_denied']);
  assert.equal(
    of('tls').asked[0]!['source'],
    ['127.0.0.1', null, 'spiffe://cluster.local/ns/default/sa/billing'].map((x) => x ?? undefined),
  );
  assert.ok(String(of('tls-told-more').asked[0]!['certificate']).startsWith('-----BEGIN%20CERTIFICATE-----'));
  assert.is(of('tls-told-more').asked[0]!['sni'], 'db.test');
  if (theirs !== undefined) assert.equal(mine, theirs);
});

test('clients are held back while the service thinks, and forgotten when they break off', async () => {
  await withEngine(startEmbedded, async (started) => {
    const { engine, backend, asked } = started;
    started.answer = 'wait';
    const client = connect(engine.port('slow'), '127.0.0.1', () => client.write('x'.repeat(1000)));
    client.on('error', () => undefined);
    await until('the question', () => asked.length === 1);
    assert.is(backend.connections, 0);
    client.resetAndDestroy();
    const log = await engine.log('slow');
    assert.is(log['flags'], 'DC');
    assert.is(await engine.stat('ext_authz.tcp..error'), 0);
    assert.is(backend.connections, 0);
  });
});

test('what a client sent while the service thought goes on, and so does its end', async () => {
  await withEngine(startEmbedded, async ({ engine, backend }) => {
    assert.is(await talk(engine.port('allowed'), { speaks: 'and ends' }), 'hello.');
    assert.is(await talk(engine.port('slow-open'), { speaks: 'never' }), '.');
    assert.is(backend.heard, 'hello');
  });
});

test('it stands in front of tcp_proxy only', async () => {
  const manager = {
    '@type': `${NETWORK}.http_connection_manager.v3.HttpConnectionManager`,
    statPrefix: 'x',
    routeConfig: { name: 'r' },
    httpFilters: [{ name: 'r', typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' } }],
  };
  const listener = { filterChains: [{ filters: [filter(), { name: 'hcm', typedConfig: manager }] }] } as never;
  let why = '';
  try {
    await (await startEmbedded({ cases: { one: { filters: [], listener } }, clusters: [] })).close();
  } catch (error) {
    why = (error as Error).message;
  }
  assert.match(why, /envoy\.filters\.network\.ext_authz is supported in front of tcp_proxy only/);
});

test.run();
