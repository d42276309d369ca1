import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConfigDumpJson } from '#envoy-api/envoy/admin/v3/config_dump_pb.js';
import { dumpQuery, filterDump } from '../../../src/envoy/dump/filter-dump.ts';
import { exampleDump } from './example-dump.ts';

const dump = exampleDump();
const query = (text: string) => filterDump(dump, dumpQuery(new URLSearchParams(text)));

function configs(text: string): NonNullable<ConfigDumpJson['configs']> {
  const result = query(text);
  if (!('dump' in result)) throw new Error(result.message);
  return result.dump.configs ?? [];
}

const types = (text: string): string[] => configs(text).map((c) => String(c['@type']).replace('type.googleapis.com/envoy.admin.v3.', ''));

test('endpoints are there only when asked for', () => {
  const without = ['BootstrapConfigDump', 'ClustersConfigDump', 'ListenersConfigDump', 'RoutesConfigDump', 'SecretsConfigDump'];
  assert.equal(types(''), without);
  assert.equal(types('include_eds'), [...without.slice(0, 2), 'EndpointsConfigDump', ...without.slice(2)]);
});

test('resource gives the elements of one repeated field', () => {
  assert.equal(types('resource=dynamic_listeners'), ['ListenersConfigDump.DynamicListener', 'ListenersConfigDump.DynamicListener']);
  assert.equal(types('resource=dynamic_active_clusters')[0], 'ClustersConfigDump.DynamicCluster');
  assert.equal(types('resource=static_clusters').length, 2);
});

test('a resource that is not repeated, or not there, is refused as Envoy refuses it', () => {
  assert.equal(query('resource=bootstrap'), {
    status: 400,
    message: 'bootstrap is not a repeated field. Use ?mask=bootstrap to get only this field',
  });
  assert.equal(query('resource=foo'), { status: 404, message: 'foo not found in config dump' });
  assert.equal(query('resource=dynamic_endpoint_configs'), { status: 404, message: 'dynamic_endpoint_configs not found in config dump' });
  assert.is('dump' in query('resource=dynamic_endpoint_configs&include_eds'), true);
});

test('a mask goes into the resource of each element', () => {
  assert.equal(configs('resource=dynamic_active_clusters&mask=cluster.name')[1], {
    '@type': 'type.googleapis.com/envoy.admin.v3.ClustersConfigDump.DynamicCluster',
    cluster: { '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster', name: 'outbound|80||web.default.svc.cluster.local' },
  } as never);
  assert.equal(Object.keys(configs('resource=dynamic_listeners&mask=active_state.version_info,name')[0]!), [
    '@type',
    'name',
    'activeState',
  ]);
});

test('a mask without resource is applied to the sections that have all its fields', () => {
  assert.equal(configs('mask=bootstrap.node.id'), [
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.BootstrapConfigDump',
      bootstrap: { node: { id: 'sidecar~10.0.0.1~web.default~default.svc.cluster.local' } },
    },
  ] as never);
  assert.equal(types('mask=version_info'), ['ClustersConfigDump', 'ListenersConfigDump']);
  assert.equal(types('mask=static_clusters'), ['ClustersConfigDump']);
  // As Envoy 1.40 answers.
  for (const mask of ['bootstrap.node.id,version_info', 'bootstrap.nope', 'a..b', 'static_clusters.cluster', 'nope']) {
    assert.equal(query(`mask=${mask}`), { status: 400, message: `FieldMask ${mask} could not be successfully applied to any configs.` });
  }
  assert.equal(query('resource=static_clusters&mask=nope'), { status: 400, message: 'FieldMask nope could not be successfully used.' });
});

test('names are matched whole, by RE2', () => {
  const names = (regex: string) =>
    configs(`resource=dynamic_active_clusters&mask=cluster.name&name_regex=${encodeURIComponent(regex)}`).map(
      (c) => (c as unknown as { cluster: { name: string } }).cluster.name,
    );
  assert.equal(names('outbound.*'), ['outbound|80||web.default.svc.cluster.local']);
  assert.equal(names('outbound'), []);
  assert.equal(names('BlackHole(Cluster)?'), ['BlackHoleCluster']);
  const bad = query('name_regex=(') as { status: number; message: string };
  assert.is(bad.status, 400);
  assert.match(bad.message, /^Error while parsing name_regex from \(/);
  assert.is((query('name_regex=(%3F=x)') as { status: number }).status, 400);
});

test('the dump itself is not changed', () => {
  const before = JSON.stringify(dump);
  query('name_regex=x');
  query('mask=bootstrap.node.id');
  query('resource=static_clusters&mask=cluster.name');
  assert.is(JSON.stringify(dump), before);
});

test.run();
