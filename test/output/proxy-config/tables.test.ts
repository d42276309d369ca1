/** The tables of a dump as Istio's Envoy gives it, and of the same in camelCase. UPDATE_GOLDENS=1 rewrites the expected ones. */
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Dump, readDump, section } from '../../../src/envoy/dump/read-dump.ts';
import { bootstrapOf, clustersOf, endpointsOf, listenersOf, routesOf } from '../../../src/envoy/dump/resources.ts';
import { loadWire } from '../../../src/envoy/wire.ts';
import { allText } from '../../../src/output/proxy-config/all.ts';
import { bootstrapSummary } from '../../../src/output/proxy-config/bootstrap.ts';
import { clusterTable } from '../../../src/output/proxy-config/cluster.ts';
import { ecdsTable } from '../../../src/output/proxy-config/ecds.ts';
import { edsTable, endpointTable } from '../../../src/output/proxy-config/endpoint.ts';
import { listenerTable } from '../../../src/output/proxy-config/listener.ts';
import { routeTable } from '../../../src/output/proxy-config/route.ts';
import { formatTable } from '../../../src/output/table.ts';

const folder = 'test/output/proxy-config/fixtures';
const text = readFileSync(`${folder}/istio.json`, 'utf8');
const wire = await loadWire();
const camel = JSON.stringify(wire.toCamel('envoy.admin.v3.ConfigDump', JSON.parse(text)));
const dumps: [string, Dump][] = [
  ['snake_case', await readDump(text)],
  ['camelCase', await readDump(camel)],
];

const tables: Record<string, (dump: Dump) => string> = {
  'listener.txt': (d) => formatTable(listenerTable(listenersOf(d))),
  'listener-brief.txt': (d) => formatTable(listenerTable(listenersOf(d), {}, false)),
  'route.txt': (d) => formatTable(routeTable(routesOf(d))),
  'route-brief.txt': (d) => formatTable(routeTable(routesOf(d), {}, false)),
  'cluster.txt': (d) => formatTable(clusterTable(clustersOf(d))),
  'endpoint.txt': (d) => formatTable(endpointTable(endpointsOf(d))),
  'eds.txt': (d) => formatTable(edsTable(endpointsOf(d))),
  'ecds.txt': (d) => formatTable(ecdsTable(section(d, 'ecds'))),
  'bootstrap.txt': (d) => bootstrapSummary(bootstrapOf(d)),
  'all.txt': (d) => allText(d, true, new Date('2026-10-01T00:00:00Z')),
};

for (const [name, table] of Object.entries(tables)) {
  for (const [style, dump] of dumps) {
    test(`${name} of a ${style} dump`, () => {
      const file = `${folder}/${name}`;
      if (process.env['UPDATE_GOLDENS']) writeFileSync(file, table(dump));
      assert.fixture(table(dump), readFileSync(file, 'utf8'));
    });
  }
}

const dump = dumps[0]![1];
const rows = (table: { rows: readonly (readonly string[])[] }, column: number): string[] => table.rows.map((r) => r[column]!);

test('listeners are filtered by address, port and type', () => {
  const of = (filters: Parameters<typeof listenerTable>[1]) => rows(listenerTable(listenersOf(dump), filters, false), 1);
  assert.equal(of({ address: '10.96.0.20' }), ['9000']);
  assert.equal(of({ address: '::' }), ['80']);
  assert.equal(of({ port: 15006 }), ['15006']);
  assert.equal(of({ type: 'http' }), ['15021']);
  assert.equal(of({ type: 'HTTP+TCP' }), ['80', '15006']);
  assert.equal(of({ address: '0.0.0.0', port: 9000 }), []);
});

test('clusters are filtered by host, port, subset and direction', () => {
  const of = (filters: Parameters<typeof clusterTable>[1]) => clusterTable(clustersOf(dump), filters).rows.length;
  assert.is(of({ fqdn: 'Reviews.default.svc.cluster.local' }), 2);
  assert.is(of({ subset: 'v1' }), 1);
  assert.is(of({ direction: 'INBOUND' }), 1);
  assert.is(of({ port: 80 }), 2);
  assert.is(of({ port: 80, fqdn: 'BlackHoleCluster' }), 0);
});

test('endpoints are filtered, and live ones tell ejections', async () => {
  const live = (await readDump(readFileSync(`${folder}/clusters.json`, 'utf8'))).clusterStatuses!;
  assert.equal(endpointTable(live).rows, [
    ['10.0.0.11:9080', 'HEALTHY', 'OK', 'outbound|9080||reviews.default.svc.cluster.local'],
    ['10.0.0.12:9080', 'HEALTHY', 'FAILED', 'outbound|9080||reviews.default.svc.cluster.local'],
    ['127.0.0.1:15020', 'HEALTHY', 'OK', 'agent'],
  ]);
  assert.equal(rows(endpointTable(endpointsOf(dump), { status: 'unhealthy' }), 0), ['10.0.0.11:9080']);
  assert.equal(rows(endpointTable(endpointsOf(dump), { address: 'fd00::1' }), 0), ['[fd00::1]:9080']);
  assert.equal(rows(edsTable(endpointsOf(dump), { cluster: 'outbound|80||a.example' }), 0), [
    'envoy://connect_originate/10.0.0.9:80',
    'unix:///run/a.sock',
  ]);
  assert.equal(rows(endpointTable(live, { port: 15020 }), 3), ['agent']);
});

test('routes are filtered by name', () => {
  assert.equal(new Set(rows(routeTable(routesOf(dump), { name: '80' }), 0)), new Set(['80']));
  assert.equal(routeTable(routesOf(dump), { name: '8' }).rows, []);
});

test.run();
