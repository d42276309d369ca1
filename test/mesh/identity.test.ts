import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { secretNames } from '../../src/envoy/secret-names.ts';
import { dnsNamesOf, identityOf, serviceIdentities, trustDomains } from '../../src/mesh/identity.ts';
import { resolveMeshConfig } from '../../src/mesh/mesh-config.ts';
import { doc, meshOf } from './fixture.ts';

const config = resolveMeshConfig({
  trustDomain: 'a@b',
  trustDomainAliases: ['old'],
  caCertificates: [{ pem: 'x', trustDomains: ['old', 'other'] }],
});

test('the identity of a workload: its account, else default; its further names', async () => {
  const mesh = await meshOf(
    doc(
      'WorkloadEntry',
      'a',
      'spec: {address: 10.0.0.1, serviceAccount: a}',
      'annotations: {fairlead.dev/dns-names: "A.example.com, b.example.com ,,a.example.com"}',
    ) + doc('WorkloadEntry', 'b', 'spec: {address: 10.0.0.2}'),
  );
  const [a, b] = mesh.workloads;
  assert.is(identityOf(a!, config), 'spiffe://a.b/ns/default/sa/a');
  assert.is(identityOf(b!, config), 'spiffe://a.b/ns/default/sa/default');
  assert.equal(dnsNamesOf(a!), ['a.example.com', 'b.example.com']);
  assert.equal(dnsNamesOf(b!), []);
});

test('trust domains: its own, aliases, those of further roots, once each', () => {
  assert.equal(trustDomains(config), ['a.b', 'old', 'other']);
});

test('the identities of a service: of endpoints on all ports, and what it names itself, for aliases too', async () => {
  const mesh = await meshOf(
    doc(
      'ServiceEntry',
      'e',
      'spec:\n  hosts: [e.example.com]\n  resolution: STATIC\n  location: MESH_INTERNAL\n  ports: [{number: 80, name: http, protocol: HTTP}]\n  subjectAltNames: [named.example.com]\n  endpoints: [{address: 10.0.0.1, serviceAccount: b}, {address: 10.0.0.2, serviceAccount: a}, {address: 10.0.0.3}]',
    ),
    { trustDomainAliases: ['old'] },
  );
  const [service] = mesh.services;
  const names = serviceIdentities(mesh, service!);
  assert.equal(names, [
    'named.example.com',
    'spiffe://cluster.local/ns/default/sa/a',
    'spiffe://cluster.local/ns/default/sa/b',
    'spiffe://old/ns/default/sa/a',
    'spiffe://old/ns/default/sa/b',
  ]);
  assert.is(serviceIdentities(mesh, service!), names, 'worked out once');
});

test('the secrets that listeners and clusters refer to, wherever they do', () => {
  const sds = (name: string): object => ({ name, sdsConfig: { ads: {} } });
  const listeners = [{ name: 'l', filterChains: [{ transportSocket: { name: 't', typedConfig: { a: [sds('b'), sds('a')] } } }] }] as never;
  const clusters = [
    { name: 'c', transportSocketMatches: [{ transportSocket: { typedConfig: { deep: { validationContextSdsSecretConfig: sds('a') } } } }] },
  ] as never;
  assert.equal(secretNames({ listeners, clusters }), ['a', 'b']);
});

test.run();
