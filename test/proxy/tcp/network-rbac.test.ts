import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PermissionJson, PrincipalJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import { until } from '../../support/http.ts';
import { cluster, downstream, mutual, TLS_INSPECTOR } from '../tls/configs.ts';
import { caSecret, certificateSecret, createPki, type Issued } from '../tls/pki.ts';
import { startBackend, startEmbedded, startEnvoy, type TcpCase, type TcpClient, type TcpEngine, talk } from './both-engines.ts';

const test = suite('RBAC network filter');
const RBAC = 'type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC';
const PROXY_PROTOCOL = {
  name: 'proxy',
  typedConfig: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol',
    allowRequestsWithoutProxyProtocol: true,
  },
};

const pki = await createPki();
const stranger = await createPki('other.test');
const server = await pki.issue({ uris: ['spiffe://cluster.local/ns/default/sa/db'] });
const clients: Readonly<Record<string, Issued>> = {
  billing: await pki.issue({ uris: ['spiffe://cluster.local/ns/default/sa/billing'] }),
  admin: await pki.issue({ uris: ['spiffe://cluster.local/ns/ops/sa/admin'], dns: ['admin.test'] }),
  named: await pki.issue({ dns: ['billing.myapp.com'] }),
  subject: await pki.issue({ cn: 'old' }),
};

const plain: TcpClient = {};
const by = (name: string, servername?: string): TcpClient => ({
  tls: { ca: pki.ca, show: clients[name]!, ...(servername !== undefined && { servername }) },
});
const anonymous: TcpClient = { tls: { ca: pki.ca } };
const via = (ip: string): TcpClient => ({ before: `PROXY TCP4 ${ip} 127.0.0.1 1000 2000\r\n` });

const rbac = (config: object): object => ({
  name: 'envoy.filters.network.rbac',
  typedConfig: { '@type': RBAC, statPrefix: 'tcp.', ...config },
});
const ANY: PermissionJson[] & PrincipalJson[] = [{ any: true }];
const rules = (
  action: string,
  permission: PermissionJson = { any: true },
  principal: PrincipalJson = { any: true },
  name = 'p',
): object => ({
  action,
  policies: { [name]: { permissions: [permission], principals: [principal] } },
});
const named = (stringMatcher: object): PrincipalJson => ({ authenticated: { principalName: stringMatcher } });
const range = (addressPrefix: string, prefixLen?: number): { addressPrefix: string; prefixLen?: number } => ({
  addressPrefix,
  ...(prefixLen !== undefined && { prefixLen }),
});

interface Case extends TcpCase {
  /** Each client, and whether it may pass by Envoy's documents. */
  clients: readonly (readonly [client: TcpClient, passes: 0 | 1])[];
}

/** An ALLOW policy of one rule. */
const allow = (rule: { permission?: PermissionJson; principal?: PrincipalJson }, ...of: Case['clients']): Case => ({
  filters: [rbac({ rules: rules('ALLOW', rule.permission, rule.principal) })],
  clients: of,
});
const mtls = { transportSocket: downstream(mutual(), {}) };
const overTls = (one: Case): Case => ({ ...one, chain: mtls, listener: { listenerFilters: [TLS_INSPECTOR] } });
const overProxy = (one: Case): Case => ({ ...one, listener: { listenerFilters: [PROXY_PROTOCOL] as never } });
const id = 'spiffe://cluster.local/ns/default/sa/billing';

const CASES: Readonly<Record<string, Case>> = {
  any: allow({}, [plain, 1], [{ speaks: 'and ends' }, 1]),
  'no-rules': { filters: [rbac({})], clients: [[plain, 1]] },
  'nothing-allowed': { filters: [rbac({ rules: { action: 'ALLOW', policies: {} } })], clients: [[plain, 0]] },
  'nothing-denied': { filters: [rbac({ rules: { action: 'DENY', policies: {} } })], clients: [[plain, 1]] },
  never: allow({ permission: { notRule: { any: true } }, principal: { notId: { any: true } } }, [plain, 0]),
  'everything-denied': {
    filters: [rbac({ rules: rules('DENY', undefined, undefined, 'ns[a b]-policy[x]-rule[0]') })],
    clients: [
      [plain, 0],
      [{ speaks: 'and ends' }, 0],
      [{ speaks: 'never' }, 0],
    ],
  },
  port: allow({ permission: { destinationPort: 1 } }, [plain, 0]),
  'not-port': allow({ permission: { notRule: { destinationPort: 1 } } }, [plain, 1]),
  ports: allow({ permission: { destinationPortRange: { start: 1, end: 65_536 } } }, [plain, 1]),
  'ports-below': allow({ permission: { destinationPortRange: { start: 1, end: 2 } } }, [plain, 0]),
  destination: allow({ permission: { destinationIp: range('127.0.0.0', 8) } }, [plain, 1]),
  'other-destination': allow({ permission: { destinationIp: range('10.0.0.0', 8) } }, [plain, 0]),
  'http-path': allow({ permission: { urlPath: { path: { prefix: '/' } } } }, [plain, 0]),
  metadata: allow(
    { permission: { metadata: { filter: 'envoy.filters.http.jwt_authn', path: [{ key: 'iss' }], value: { presentMatch: true } } } },
    [plain, 0],
  ),
  direct: overProxy(allow({ principal: { directRemoteIp: range('127.0.0.1', 32) } }, [via('10.9.9.9'), 1], [via('10.1.2.3'), 1])),
  remote: overProxy(allow({ principal: { remoteIp: range('10.1.0.0', 16) } }, [via('10.1.2.3'), 1], [via('10.2.2.3'), 0])),
  'not-remote': overProxy(allow({ principal: { notId: { remoteIp: range('10.1.0.0', 16) } } }, [via('10.2.2.3'), 1], [via('10.1.2.3'), 0])),
  source: overProxy(allow({ principal: { sourceIp: range('10.1.2.3', 32) } }, [via('10.1.2.3'), 1], [via('10.9.9.9'), 0])),
  both: allow(
    {
      permission: { andRules: { rules: [{ any: true }, { orRules: { rules: [{ destinationPort: 1 }, { any: true }] } }] } },
      principal: { andIds: { ids: [{ any: true }, { orIds: { ids: [{ remoteIp: range('10.0.0.0', 8) }, { any: true }] } }] } },
    },
    [plain, 1],
  ),
  'plain-is-nobody': allow({ principal: { authenticated: {} } }, [plain, 0]),
  'plain-has-no-name': allow({ principal: named({ safeRegex: { regex: '.*' } }) }, [plain, 0]),
  'plain-is-not-that-one': allow({ principal: { notId: named({ exact: id }) } }, [plain, 1]),
  anybody: overTls(allow({ principal: { authenticated: {} } }, [by('billing'), 1], [anonymous, 1])),
  principal: overTls(allow({ principal: named({ exact: id }) }, [by('billing'), 1], [by('admin'), 0], [by('named'), 0], [anonymous, 0])),
  'principal-prefix': overTls(
    allow({ principal: named({ prefix: 'spiffe://cluster.local/ns/default/' }) }, [by('billing'), 1], [by('admin'), 0]),
  ),
  'principal-regex': overTls(
    allow({ principal: named({ safeRegex: { regex: '.*/ns/ops/.*' } }) }, [by('billing'), 0], [by('admin'), 1], [anonymous, 0]),
  ),
  'principal-some': overTls(allow({ principal: named({ safeRegex: { regex: '.+' } }) }, [by('subject'), 1], [anonymous, 0])),
  'principal-dns': overTls(
    allow(
      { principal: { orIds: { ids: [named({ exact: 'spiffe://billing.myapp.com' }), named({ exact: 'billing.myapp.com' })] } } },
      [by('named'), 1],
      [by('billing'), 0],
    ),
  ),
  'principal-dns-beside-uri': overTls(allow({ principal: named({ exact: 'admin.test' }) }, [by('admin'), 1])),
  'principal-subject': overTls(allow({ principal: named({ exact: 'CN=old,O=tests' }) }, [by('subject'), 1], [by('admin'), 0])),
  'not-principal': overTls(allow({ principal: { notId: named({ exact: id }) } }, [by('billing'), 0], [by('admin'), 1], [anonymous, 1])),
  sni: overTls(
    allow(
      { permission: { requestedServerName: { exact: 'db.test' } } },
      [by('billing', 'db.test'), 1],
      [by('billing', 'DB.test'), 1],
      [by('billing', 'other.test'), 0],
      [by('billing'), 0],
    ),
  ),
  'sni-suffix': overTls(allow({ permission: { requestedServerName: { suffix: '.test' } } }, [by('billing', 'a.test'), 1])),
  'deny-then-allow': overTls({
    filters: [
      rbac({ rules: rules('DENY', undefined, named({ exact: id }), 'first') }),
      rbac({ rules: rules('ALLOW', undefined, named({ prefix: 'spiffe://' }), 'second') }),
    ],
    clients: [
      [by('billing'), 0],
      [by('admin'), 1],
      [by('named'), 0],
    ],
  }),
  'dry-run': {
    filters: [
      rbac({ shadowRules: rules('DENY', undefined, undefined, 'dry'), shadowRulesStatPrefix: 'istio_dry_run_deny_' }),
      rbac({
        rules: rules('ALLOW'),
        shadowRules: { action: 'ALLOW', policies: {} },
        shadowRulesStatPrefix: 'istio_dry_run_allow_',
      }),
    ],
    clients: [[plain, 1]],
  },
  'dry-run-before-denial': {
    filters: [rbac({ rules: rules('DENY'), shadowRules: rules('ALLOW', undefined, undefined, 'dry') })],
    clients: [[plain, 0]],
  },
  audit: {
    filters: [rbac({ rules: rules('LOG') }), rbac({ rules: rules('ALLOW') })],
    clients: [[plain, 1]],
  },
  'audit-of-others': { filters: [rbac({ rules: rules('LOG', { destinationPort: 1 }) })], clients: [[plain, 1]] },
  continuous: {
    filters: [rbac({ rules: rules('ALLOW'), enforcementType: 'CONTINUOUS' })],
    clients: [[plain, 1]],
  },
  'continuous-denial': {
    filters: [rbac({ rules: rules('DENY'), enforcementType: 'CONTINUOUS' })],
    clients: [[plain, 0]],
  },
};

const STATS = [
  ...['allowed', 'denied', 'shadow_allowed', 'shadow_denied', 'logged', 'not_logged'].map((name) => `tcp.rbac.${name}`),
  ...['istio_dry_run_allow_', 'istio_dry_run_deny_'].flatMap((prefix) =>
    ['shadow_allowed', 'shadow_denied'].map((name) => `tcp.rbac.${prefix}.${name}`),
  ),
];

/** Runs `look` on each engine that there is, with a backend for it alone. */
async function onEach<T>(
  cases: Readonly<Record<string, TcpCase>>,
  greeting: string,
  look: (engine: TcpEngine, backend: Awaited<ReturnType<typeof startBackend>>) => Promise<T>,
): Promise<[T, T | undefined]> {
  const out: (T | undefined)[] = [];
  for (const start of [startEmbedded, startEnvoy]) {
    const backend = await startBackend(greeting);
    const secrets = [certificateSecret('default', server), caSecret('ROOTCA', pki.ca)];
    let engine: TcpEngine | undefined;
    try {
      engine = await start({ cases, clusters: [cluster('backend', backend.port)], secrets });
      out.push(engine && (await look(engine, backend)));
    } finally {
      await engine?.close();
      backend.close();
    }
  }
  return out as [T, T | undefined];
}

test('rules decide about connections as in Envoy', async () => {
  const [mine, theirs] = await onEach(CASES, '', async (engine, backend) => {
    const found: Record<string, unknown> = {};
    for (const [name, { clients: of }] of Object.entries(CASES)) {
      for (const [i, [client, passes]] of of.entries()) {
        const before = backend.heard;
        const connected = backend.connections;
        const got = await talk(engine.port(name), client);
        assert.is(got, passes ? 'hello.' : '', `${engine.name}: ${name}, client ${i}`);
        if (!passes) {
          assert.is(backend.heard, before, `${engine.name}: ${name}, client ${i}: bytes went to the upstream`);
          if (engine.name === 'embedded') assert.is(backend.connections, connected, `${name}, client ${i}: the upstream was connected`);
        }
        found[`${name} ${i}`] = await engine.log(name);
      }
    }
    for (const stat of STATS) found[stat] = await engine.stat(stat);
    return found;
  });
  assert.is(
    (mine['everything-denied 0'] as { termination: string }).termination,
    'rbac_access_denied_matched_policy[ns[a_b]-policy[x]-rule[0]]',
  );
  assert.is((mine['deny-then-allow 0'] as { termination: string }).termination, 'rbac_access_denied_matched_policy[first]');
  assert.is((mine['deny-then-allow 2'] as { termination: string }).termination, 'rbac_access_denied_matched_policy[none]');
  if (theirs !== undefined) assert.equal(mine, theirs);
});

test('a server that speaks first is not heard by those who are denied', async () => {
  const cases = {
    allowed: { filters: [rbac({ rules: rules('ALLOW') })] },
    denied: { filters: [rbac({ rules: rules('DENY') })] },
  };
  await onEach(cases, 'hi.', async (engine, backend) => {
    assert.is(await talk(engine.port('allowed'), { speaks: 'after the greeting' }), 'hi.hello.', engine.name);
    const before = backend.connections;
    const got = await talk(engine.port('denied'), { speaks: 'after the greeting' });
    // Envoy connects at once and decides at the client's first byte, or its end.
    assert.is(got, engine.name === 'envoy' ? 'hi.' : '');
    assert.is(backend.connections - before, engine.name === 'envoy' ? 1 : 0);
    assert.is(backend.heard, 'hello', engine.name);
  });
});

test('a client whose certificate another root signed is nobody', async () => {
  const cases = { one: overTls(allow({ principal: named({ exact: id }) })) };
  const impostor = await stranger.issue({ uris: [id] });
  await onEach(cases, '', async (engine, backend) => {
    assert.is(await talk(engine.port('one'), { tls: { ca: pki.ca, show: impostor } }), '', engine.name);
    assert.is(backend.heard, '', engine.name);
  });
});

test('a client that says nothing and one that breaks off leave nothing behind', async () => {
  const backend = await startBackend();
  const cases = { denied: { filters: [rbac({ rules: rules('DENY') })] }, allowed: { filters: [rbac({ rules: rules('ALLOW') })] } };
  const engine = await startEmbedded({ cases, clusters: [cluster('backend', backend.port)] });
  try {
    const silent = connect(engine.port('denied'), '127.0.0.1');
    let closed = false;
    silent.on('close', () => {
      closed = true;
    });
    silent.on('error', () => undefined);
    await until('the denied client to be closed', () => closed);
    const broken = connect(engine.port('allowed'), '127.0.0.1', () => broken.resetAndDestroy());
    broken.on('error', () => undefined);
    await engine.log('denied');
    await engine.log('allowed');
  } finally {
    await engine.close();
    backend.close();
  }
});

test('what is not carried out is refused', async () => {
  const refused = async (config: object, why: RegExp): Promise<void> => {
    try {
      await (await startEmbedded({ cases: { one: { filters: [rbac(config)] } }, clusters: [] })).close();
    } catch (error) {
      assert.match((error as Error).message, why);
      return;
    }
    assert.unreachable(JSON.stringify(config));
  };
  await refused({ matcher: { matcherList: {} } }, /matcher is not supported.*matcher trees/);
  await refused({ rules: rules('ALLOW'), delayDeny: '1s' }, /delayDeny/);
  await refused({ rules: { action: 'ALLOW', policies: { p: { permissions: ANY, principals: ANY, condition: {} } } } }, /CEL/);
  // So does Envoy.
  const header = { header: { name: 'x', presentMatch: true } } as never;
  await refused({ rules: rules('ALLOW', { notRule: header }) }, /connections have no headers/);
  await refused({ shadowRules: rules('ALLOW', undefined, { orIds: { ids: [header] } }) }, /connections have no headers/);
  await refused({ rules: rules('ALLOW', { unheardOf: true } as never) }, /unheardOf/);
});

test.run();
