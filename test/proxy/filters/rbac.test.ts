import { isDeepStrictEqual } from 'node:util';
import type { AnyJson } from '@bufbuild/protobuf/wkt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PermissionJson, PrincipalJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import { type Engine, echoBackend, get, startEmbedded, startEnvoy } from './both-engines.ts';

const test = suite('RBAC filter');
const HTTP = 'type.googleapis.com/envoy.extensions.filters.http';

/** One rule, and requests of which the engines have to think alike. `1` or `0` before each: whether Envoy's documents have it match. */
interface RuleCase {
  permission?: PermissionJson;
  principal?: PrincipalJson;
  requests: readonly [matches: 0 | 1, path: string, headers?: readonly string[], host?: string, method?: string][];
}

const path = (matcher: object): PermissionJson => ({ urlPath: { path: matcher } });
const header = (matcher: object): PermissionJson => ({ header: matcher }) as PermissionJson;
const template = (pathTemplate: string): PermissionJson => ({
  uriTemplate: {
    name: 'uri-template',
    typedConfig: {
      '@type': 'type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig',
      pathTemplate,
    } as AnyJson,
  },
});
const remote = (addressPrefix: string, prefixLen?: number): PrincipalJson => ({
  remoteIp: { addressPrefix, ...(prefixLen !== undefined && { prefixLen }) },
});

const CASES: readonly RuleCase[] = [
  { permission: { any: true }, requests: [[1, '/']] },
  {
    permission: path({ exact: '/admin' }),
    requests: [
      [1, '/admin'],
      [1, '/admin?x=1'],
      [1, '/admin?'],
      [1, '/admin#top'],
      [0, '/Admin'],
      [0, '/admin/'],
      [1, '/./admin'],
      [1, '/x/../admin'],
      [1, '/%61dmin'],
      [1, '/x/%2e%2e/admin'],
      [0, '/%2fadmin'],
      [0, '//admin'],
      [0, '/admin%3fx'],
      [0, '/admin;p=1'],
      [0, '/admin%00'],
      [1, '/x/..\\admin'],
    ],
  },
  {
    permission: path({ prefix: '/api/', ignoreCase: true }),
    requests: [
      [1, '/api/'],
      [1, '/API/x'],
      [0, '/api'],
      [1, '/x/../Api/y?z'],
      [0, '/xapi/'],
    ],
  },
  {
    permission: path({ suffix: '.php' }),
    requests: [
      [1, '/a.php'],
      [1, '/a.php?x'],
      [0, '/a.php/'],
      [0, '/?a.php'],
    ],
  },
  {
    permission: path({ contains: 'sec' }),
    requests: [
      [1, '/a/secret'],
      [0, '/a?sec'],
    ],
  },
  {
    permission: path({ safeRegex: { regex: '/v[0-9]+/(a|b)' } }),
    requests: [
      [1, '/v12/a'],
      [0, '/v12/ab'],
      [0, '/x/v1/a'],
      [1, '/v1/b?q'],
      [0, '/v/a'],
    ],
  },
  {
    permission: { notRule: path({ exact: '/closed' }) },
    requests: [
      [0, '/closed'],
      [1, '/open'],
      [0, '/closed?x'],
      [0, '/x/../closed'],
      [1, '/closed/'],
    ],
  },
  {
    permission: header({ name: ':authority', stringMatch: { exact: 'shop.test' } }),
    requests: [
      [1, '/'],
      [0, '/', [], 'shop.test:80'],
      [0, '/', [], 'SHOP.test'],
      [0, '/', [], 'shop.test.'],
      [0, '/', ['x-forwarded-host: shop.test'], 'evil.test'],
    ],
  },
  {
    permission: header({ name: ':authority', stringMatch: { exact: 'shop.test', ignoreCase: true } }),
    requests: [
      [1, '/', [], 'Shop.Test'],
      [0, '/', [], 'shop.test:8080'],
    ],
  },
  {
    permission: header({ name: ':authority', stringMatch: { prefix: 'shop.test:', ignoreCase: true } }),
    requests: [
      [1, '/', [], 'shop.test:8080'],
      [0, '/'],
    ],
  },
  {
    permission: header({ name: 'host', stringMatch: { exact: 'shop.test' } }),
    requests: [
      [1, '/'],
      [0, '/', [], 'other.test'],
    ],
  },
  {
    permission: header({ name: ':method', stringMatch: { exact: 'GET' } }),
    requests: [
      [1, '/'],
      [0, '/', [], 'a', 'DELETE'],
      [0, '/', ['x-http-method-override: GET'], 'a', 'PUT'],
      [0, '/', [], 'a', 'HEAD'],
    ],
  },
  {
    permission: header({ name: ':path', stringMatch: { exact: '/a' } }),
    requests: [
      [1, '/a'],
      [0, '/a?b'],
    ],
  },
  {
    permission: header({ name: 'x-role', stringMatch: { exact: 'admin' } }),
    requests: [
      [1, '/', ['x-role: admin']],
      [1, '/', ['X-ROLE: admin']],
      [0, '/', ['x-role: Admin']],
      [0, '/', ['x-role: admin,user']],
      [1, '/', ['x-role:   admin  ']],
      [0, '/', ['x-role: ']],
      [0, '/'],
      [1, '/', ['x-role: user', 'x-role: admin']],
      [0, '/', ['x_role: admin']],
    ],
  },
  {
    permission: { notRule: header({ name: 'x-role', stringMatch: { exact: 'guest' } }) },
    requests: [
      [1, '/'],
      [1, '/', ['x-role: ']],
      [0, '/', ['x-role: guest']],
      [0, '/', ['x-role: a', 'x-role: guest']],
      [1, '/', ['x-role: guest,a']],
    ],
  },
  {
    permission: header({ name: 'x-role', stringMatch: { exact: 'guest' }, invertMatch: true }),
    requests: [
      [0, '/'],
      [1, '/', ['x-role: ']],
      [0, '/', ['x-role: guest']],
      [1, '/', ['x-role: b']],
    ],
  },
  {
    permission: header({ name: 'x-role', stringMatch: { exact: 'guest' }, invertMatch: true, treatMissingHeaderAsEmpty: true }),
    requests: [
      [1, '/'],
      [0, '/', ['x-role: guest']],
    ],
  },
  {
    permission: header({ name: 'x-p', presentMatch: true }),
    requests: [
      [1, '/', ['x-p: ']],
      [1, '/', ['x-p: 1']],
      [0, '/'],
    ],
  },
  {
    permission: header({ name: 'x-p', presentMatch: false }),
    requests: [
      [0, '/', ['x-p: ']],
      [1, '/'],
    ],
  },
  {
    permission: { notRule: header({ name: 'x-p', presentMatch: true }) },
    requests: [
      [0, '/', ['x-p:']],
      [1, '/'],
    ],
  },
  {
    permission: header({ name: 'x-n', rangeMatch: { start: '1', end: '10' } }),
    requests: [
      [1, '/', ['x-n: 1']],
      [0, '/', ['x-n: 10']],
      [0, '/', ['x-n: 1a']],
      [0, '/'],
    ],
  },
  {
    permission: header({ name: 'x-r', stringMatch: { safeRegex: { regex: 'a.*z' } } }),
    requests: [
      [1, '/', ['x-r: abcz']],
      [0, '/', ['x-r: abczy']],
      [1, '/', ['x-r: a\xc3\xa4z']],
    ],
  },
  {
    permission: header({ name: 'cookie', stringMatch: { contains: 'a=1' } }),
    requests: [
      [1, '/', ['cookie: a=1; b=2']],
      [1, '/', ['cookie: b=2', 'cookie: a=1']],
      [0, '/', ['cookie: a=2']],
    ],
  },
  {
    permission: header({ name: 'x-s', stringMatch: { suffix: 'end' } }),
    requests: [
      [1, '/', ['x-s: the end']],
      [0, '/', ['x-s: end.']],
    ],
  },
  { permission: { destinationPort: 1 }, requests: [[0, '/']] },
  { permission: { destinationPortRange: { start: 1024, end: 65536 } }, requests: [[1, '/']] },
  { permission: { destinationPortRange: { start: 1, end: 1024 } }, requests: [[0, '/']] },
  { permission: { destinationIp: { addressPrefix: '127.0.0.1', prefixLen: 32 } }, requests: [[1, '/']] },
  { permission: { destinationIp: { addressPrefix: '10.0.0.0', prefixLen: 8 } }, requests: [[0, '/']] },
  { permission: { requestedServerName: { exact: 'shop.test' } }, requests: [[0, '/']] },
  { permission: { notRule: { requestedServerName: { exact: 'shop.test' } } }, requests: [[1, '/']] },
  { permission: { requestedServerName: { exact: '' } }, requests: [[1, '/']] },
  {
    permission: { orRules: { rules: [path({ exact: '/a' }), { andRules: { rules: [path({ exact: '/b' }), header({ name: 'x-b' })] } }] } },
    requests: [
      [1, '/a'],
      [0, '/b'],
      [1, '/b', ['x-b: 1']],
      [0, '/c', ['x-b: 1']],
    ],
  },
  {
    permission: template('/a/*/c'),
    requests: [
      [1, '/a/b/c'],
      [0, '/a/b/b/c'],
      [0, '/a//c'],
      [1, '/a/b/c?x'],
      [0, '/a/b/c/'],
    ],
  },
  {
    permission: template('/a/**'),
    requests: [
      [1, '/a/'],
      [1, '/a/b/c'],
      [0, '/a'],
      [0, '/ab'],
    ],
  },
  {
    permission: template('/**/z'),
    requests: [
      [1, '/a/b/z'],
      [0, '/a/b/zz'],
      [1, '//z'],
    ],
  },
  {
    permission: template('/{one}/x/{two=**}'),
    requests: [
      [1, '/a/x/b/c'],
      [0, '/a/y/b'],
      [1, '/a/x/'],
    ],
  },
  { permission: template('/*.json'), requests: [] },
  {
    permission: template('/{id=*}/edit'),
    requests: [
      [1, '/5/edit'],
      [0, '/5/6/edit'],
      [1, '/%20/edit'],
    ],
  },
  {
    principal: remote('127.0.0.0', 8),
    requests: [
      [1, '/'],
      [0, '/', ['x-forwarded-for: 10.1.2.3']],
      [1, '/', ['x-forwarded-for: nonsense']],
    ],
  },
  {
    principal: remote('10.1.0.0', 16),
    requests: [
      [0, '/'],
      [1, '/', ['x-forwarded-for: 10.1.2.3']],
      [1, '/', ['x-forwarded-for: 1.1.1.1, 10.1.2.3']],
      [0, '/', ['x-forwarded-for: 10.1.2.3, 1.1.1.1']],
      [0, '/', ['x-forwarded-for: ::ffff:10.1.2.3']],
      [0, '/', ['x-forwarded-for: 10.1.2.3:80']],
    ],
  },
  {
    principal: remote('::ffff:10.1.0.0', 112),
    requests: [
      [1, '/', ['x-forwarded-for: ::ffff:10.1.2.3']],
      [0, '/', ['x-forwarded-for: 10.1.2.3']],
    ],
  },
  {
    principal: remote('2001:db8::', 32),
    requests: [
      [1, '/', ['x-forwarded-for: 2001:db8:1::5']],
      [0, '/', ['x-forwarded-for: 2001:db9::']],
    ],
  },
  {
    principal: remote('0.0.0.0'),
    requests: [
      [1, '/'],
      [0, '/', ['x-forwarded-for: ::1']],
    ],
  },
  {
    principal: { directRemoteIp: { addressPrefix: '127.0.0.1', prefixLen: 32 } },
    requests: [
      [1, '/'],
      [1, '/', ['x-forwarded-for: 10.1.2.3']],
    ],
  },
  { principal: { sourceIp: { addressPrefix: '10.1.0.0', prefixLen: 16 } }, requests: [[0, '/', ['x-forwarded-for: 10.1.2.3']]] },
  {
    principal: { notId: remote('10.1.0.0', 16) },
    requests: [
      [1, '/'],
      [0, '/', ['x-forwarded-for: 10.1.2.3']],
    ],
  },
  { principal: { authenticated: {} }, requests: [[0, '/']] },
  { principal: { authenticated: { principalName: { exact: '' } } }, requests: [[0, '/']] },
  { principal: { notId: { authenticated: { principalName: { prefix: 'spiffe://' } } } }, requests: [[1, '/']] },
  {
    principal: { andIds: { ids: [{ header: { name: 'x-u', stringMatch: { exact: 'u' } } }, { urlPath: { path: { prefix: '/u' } } }] } },
    requests: [
      [1, '/u', ['x-u: u']],
      [0, '/u'],
      [0, '/v', ['x-u: u']],
    ],
  },
  { principal: { orIds: { ids: [{ authenticated: {} }, { any: true }] } }, requests: [[1, '/']] },
  {
    principal: { metadata: { filter: 'nobody', path: [{ key: 'a' }], value: { presentMatch: false } } } as PrincipalJson,
    requests: [[0, '/']],
  },
  {
    principal: {
      metadata: { filter: 'nobody', path: [{ key: 'a' }], value: { stringMatch: { exact: 'x' } }, invert: true },
    } as PrincipalJson,
    requests: [[1, '/']],
  },
  {
    principal: {
      metadata: {
        filter: 'envoy.filters.http.rbac',
        path: [{ key: 'first_shadow_engine_result' }],
        value: { stringMatch: { exact: 'denied' } },
      },
    } as PrincipalJson,
    requests: [
      [1, '/', ['x-shadow: 1']],
      [0, '/'],
    ],
  },
];

function setup(backend: string): Parameters<typeof startEmbedded>[0] {
  const policies = CASES.map(({ permission = { any: true }, principal = { any: true } }, i) => {
    const mine = header({ name: 'x-case', stringMatch: { exact: `c${i}` } });
    return [`case ${i}`, { permissions: [{ andRules: { rules: [mine, permission] } }], principals: [principal] }];
  });
  const shadowRules = {
    action: 'DENY',
    policies: { told: { permissions: [header({ name: 'x-shadow' })], principals: [{ any: true }] } },
  };
  return {
    clusters: [{ name: 'backend', hosts: [backend] }],
    filters: [
      {
        name: 'shadow',
        typedConfig: { '@type': `${HTTP}.rbac.v3.RBAC`, shadowRules, shadowRulesStatPrefix: 'first_' },
      },
      {
        name: 'rules',
        typedConfig: { '@type': `${HTTP}.rbac.v3.RBAC`, rules: { policies: Object.fromEntries(policies) }, rulesStatPrefix: 'main' },
      },
    ],
    log: { metadata: '%DYNAMIC_METADATA(envoy.filters.http.rbac)%' },
  };
}

test('rules decide, and say so, as in Envoy', async () => {
  const { host, server } = await echoBackend();
  const engines: Engine[] = [];
  try {
    const embedded = await startEmbedded(setup(host));
    engines.push(embedded);
    const envoy = await startEnvoy(setup(host));
    if (envoy !== undefined) engines.push(envoy);
    const wrong: string[] = [];
    let requests = 0;
    for (const [i, one] of CASES.entries()) {
      for (const [matches, where, headers = [], name, method] of one.requests) {
        requests++;
        const request = get(where, [`x-case: c${i}`, ...headers], name, method);
        const [answer, theirs] = await Promise.all([embedded.send(request), envoy?.send(request)]);
        if ((answer.status === 200) !== (matches === 1))
          wrong.push(`${JSON.stringify(one.permission ?? one.principal)} ${request}: ${answer.status}`);
        if (theirs !== undefined && !isDeepStrictEqual(answer, theirs))
          wrong.push(
            `${JSON.stringify(one.permission ?? one.principal)} ${request}: ${JSON.stringify(answer)} but Envoy ${JSON.stringify(theirs)}`,
          );
      }
    }
    assert.is(wrong.join('\n'), '');
    assert.ok(requests >= 100, `${requests} requests`);
    for (const stat of ['main.allowed', 'main.denied', 'first_.shadow_allowed', 'first_.shadow_denied']) {
      const name = `http.test.rbac.${stat}`;
      const count = await embedded.stat(name);
      assert.ok(count! > 0, name);
      if (envoy !== undefined) assert.is(count, await envoy.stat(name), name);
    }
  } finally {
    for (const engine of engines) await engine.close();
    server.close();
  }
});

test.run();
