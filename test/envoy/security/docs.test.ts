/** The examples of docs/authorization.md: one mesh of all of them, which nothing is wrong with, and which decides what the page says. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RBACJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { compileRbac } from '../../../src/authorization/compile-rbac.ts';
import type { AuthorizationInput } from '../../../src/authorization/types.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { buildSnapshot } from '../../../src/envoy/build.ts';
import { buildMesh } from '../../../src/mesh/mesh.ts';
import { findProxy, proxiesOf } from '../../../src/mesh/proxies.ts';

const page = readFileSync(new URL('../../../docs/authorization.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text);
const loaded = await parseConfig(examples.join('---\n'), 'authorization.md');
const mesh = buildMesh(loaded.resources, { meshConfig: loaded.meshConfig });

function snapshotOf(name: string): ReturnType<typeof buildSnapshot> {
  const proxy = findProxy(mesh, name);
  if ('candidates' in proxy) throw new Error(`no proxy ${name}: ${proxy.candidates.join(', ')}`);
  return buildSnapshot(mesh, proxy);
}

const payments = snapshotOf('payments.default');

test('the examples are a sound mesh, in which everything is acted on', () => {
  assert.ok(examples.length >= 6);
  assert.equal(loaded.problems, []);
  assert.equal(mesh.problems, []);
  const proxies = proxiesOf(mesh, { addresses: ['127.0.0.1'], pods: 'all' });
  assert.equal([...new Set(proxies.map((p) => p.type))].sort(), ['router', 'sidecar']);
  for (const proxy of proxies) {
    assert.equal(
      buildSnapshot(mesh, proxy).problems.map((p) => p.message),
      [],
      proxy.name,
    );
  }
});

/** The connection manager through which the workload is called. */
function managerOf(): HttpConnectionManagerJson {
  const inbound = payments.listeners.filter((l) => l.trafficDirection === 'INBOUND');
  const filters = inbound.flatMap((l) => l.filterChains ?? []).flatMap((c) => c.filters ?? []);
  return filters.find((f) => f.name?.endsWith('http_connection_manager'))?.typedConfig as HttpConnectionManagerJson;
}

test('the filters of a workload are in the order of the page', () => {
  const names = managerOf().httpFilters?.map((f) => f.name?.replace('envoy.filters.http.', ''));
  assert.equal(names?.slice(0, 4), ['rbac', 'ext_authz', 'jwt_authn', 'rbac']);
});

/** The rules of the last RBAC filter: ALLOW. */
function allowRules(): RBACJson {
  const last = managerOf().httpFilters?.findLast((f) => f.name === 'envoy.filters.http.rbac')?.typedConfig as
    | { rules?: RBACJson }
    | undefined;
  return last?.rules ?? {};
}

const allow = compileRbac(allowRules(), 'rules');

interface Asked {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  uri?: string;
  dns?: string;
  claims?: object;
}

function input({ method = 'GET', path, headers = {}, uri, dns, claims }: Asked): AuthorizationInput {
  const all: Record<string, string> = { ':method': method, ':path': path, ':authority': 'payments.local', ...headers };
  const peer = { uriSans: uri ? [uri] : [], dnsSans: dns ? [dns] : [], subject: '', issuer: '', serial: '', sha256: '' };
  return {
    connection: {
      tls: true,
      peer,
      directRemoteIp: '127.0.0.1',
      sourceIp: '127.0.0.1',
      remoteIp: '127.0.0.1',
      destinationIp: '127.0.0.1',
      destinationPort: 8443,
      sni: '',
    },
    request: {
      header: (name) => all[name],
      headerValues: (name) => (all[name] === undefined ? [] : [all[name]]),
      pathOnly: path,
    },
    ...(claims && { metadata: { 'envoy.filters.http.jwt_authn': { payload: claims } } }),
  };
}

const billing = 'spiffe://cluster.local/ns/default/sa/billing';
const iss = 'https://login.example.com';
for (const [what, asked, policy] of [
  ['billing may charge', { method: 'POST', path: '/v1/charges', uri: billing }, 'ns[default]-policy[payments]-rule[0]'],
  ['and refund', { method: 'POST', path: '/v1/refunds/7', uri: billing }, 'ns[default]-policy[payments]-rule[0]'],
  ['but not below', { method: 'POST', path: '/v1/refunds/7/x', uri: billing }, undefined],
  ['and not read', { path: '/v1/charges', uri: billing }, undefined],
  ['others may not', { method: 'POST', path: '/v1/charges', uri: `${billing}2` }, undefined],
  ['a key opens its paths', { path: '/partners/a', headers: { 'x-api-key': 'k-77d2e4c1' } }, 'ns[default]-policy[partners]-rule[0]'],
  ['and no others', { path: '/v1/charges', headers: { 'x-api-key': 'k-77d2e4c1' } }, undefined],
  ['a header that is there twice has neither value', { path: '/partners/a', headers: { 'x-api-key': 'k-77d2e4c1,k-1f6c0b9a' } }, undefined],
  [
    'an administrator may do anything',
    { path: '/', claims: { iss, sub: 'a', groups: ['users', 'admin'] } },
    'ns[default]-policy[users]-rule[0]',
  ],
  ['users not', { path: '/', claims: { iss, sub: 'a', groups: ['users'] } }, undefined],
  ['nor administrators of another issuer', { path: '/', claims: { iss: 'https://x', sub: 'a', groups: ['admin'] } }, undefined],
] as [string, Asked, string | undefined][]) {
  test(what, () => {
    assert.equal(allow.problems, []);
    assert.equal(allow.rbac.decide(input(asked)), { allowed: policy !== undefined, policy });
  });
}

test.run();
