import { fromJson } from '@bufbuild/protobuf';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClusterSchema } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import { loadWire } from '../../../src/envoy/wire.ts';
import { goldenCases } from './golden.ts';

const { registry } = await loadWire();
const cases = await goldenCases('test/envoy/clusters/fixtures', 'clusters');

for (const c of cases) {
  test(`${c.name}: ${c.title}`, () => {
    for (const cluster of c.clusters) fromJson(ClusterSchema, cluster, { registry });
    if (process.env['UPDATE_GOLDENS']) c.update();
    else assert.fixture(c.actual, c.expected);
  });
}

test('clusters are sorted by name and without duplicates', () => {
  for (const { name, clusters } of cases) {
    const names = clusters.map((c) => c.name!);
    assert.equal(names, [...new Set(names)].sort(), name);
  }
});

test.run();
