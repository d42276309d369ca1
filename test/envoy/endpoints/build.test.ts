import { fromJson } from '@bufbuild/protobuf';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClusterLoadAssignmentSchema } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import { loadWire } from '../../../src/envoy/wire.ts';
import { goldenCases } from '../clusters/golden.ts';

const { registry } = await loadWire();
const cases = await goldenCases('test/envoy/endpoints/fixtures', 'endpoints');

for (const c of cases) {
  test(`${c.name}: ${c.title}`, () => {
    for (const assignment of c.endpoints) fromJson(ClusterLoadAssignmentSchema, assignment, { registry });
    if (process.env['UPDATE_GOLDENS']) c.update();
    else assert.fixture(c.actual, c.expected);
  });
}

test('every EDS cluster has a load assignment, and nothing else has', () => {
  for (const { name, clusters, endpoints } of cases) {
    assert.equal(
      endpoints.map((e) => e.clusterName),
      clusters.filter((c) => c.type === 'EDS').map((c) => c.name),
      name,
    );
  }
});

test.run();
