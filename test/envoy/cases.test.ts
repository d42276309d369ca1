/** Golden cases: see golden-case.ts. `UPDATE_GOLDENS=1` rewrites what is expected; read the difference before committing it. */
import { globSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { createRegistry, type DescMessage, fromJson, type JsonValue, type Registry } from '@bufbuild/protobuf';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClusterSchema } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import { ClusterLoadAssignmentSchema } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import { ListenerSchema } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import { RouteConfigurationSchema } from '#envoy-api/envoy/config/route/v3/route_pb.js';
import { apiFiles } from '../../src/envoy/api-files.ts';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { readCase, runCase, withExpected } from './golden-case.ts';

const update = process.env['UPDATE_GOLDENS'] === '1';
const files = globSync(`${import.meta.dirname}/fixtures/cases/*.yaml`).sort();

/** Envoy's own protos must accept every resource: an unknown field, type or value throws. */
function checkAgainstProtos(snapshot: Snapshot, registry: Registry): void {
  const check = (schema: DescMessage, list: readonly object[]): void => {
    for (const resource of list) fromJson(schema, resource as JsonValue, { registry });
  };
  check(ListenerSchema, snapshot.listeners);
  check(RouteConfigurationSchema, snapshot.routes);
  check(ClusterSchema, snapshot.clusters);
  check(ClusterLoadAssignmentSchema, snapshot.endpoints);
}

/** Envoy refuses repeated names of virtual hosts and repeated domains of a route configuration. */
function checkUnique(snapshot: Snapshot): void {
  for (const { name, virtualHosts = [] } of snapshot.routes) {
    const names = virtualHosts.map((v) => v.name);
    const domains = virtualHosts.flatMap((v) => v.domains ?? []);
    assert.is(new Set(names).size, names.length, `virtual hosts of ${name} have names of their own`);
    assert.is(new Set(domains).size, domains.length, `domains of ${name} occur once`);
  }
  for (const { name, filterChains = [] } of snapshot.listeners) {
    const matches = filterChains.map((c) => JSON.stringify(c.filterChainMatch ?? {}));
    assert.is(new Set(matches).size, matches.length, `filter chains of ${name} match different connections`);
  }
}

const registry = createRegistry(...apiFiles());
for (const file of files) {
  test(basename(file, '.yaml'), async () => {
    const golden = readCase(file);
    const { actual, snapshot } = await runCase(golden);
    if (snapshot) {
      checkAgainstProtos(snapshot, registry);
      checkUnique(snapshot);
    }
    if (update) writeFileSync(file, withExpected(golden, actual));
    else assert.fixture(actual, golden.expected);
  });
}

test.run();
