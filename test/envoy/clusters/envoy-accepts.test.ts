/** The real Envoy accepts the bootstrap, and every cluster and load assignment of the golden cases. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import { bootstrap } from '../../../src/envoy/dump/bootstrap.ts';
import { secretNames } from '../../../src/envoy/secret-names.ts';
import { realEnvoy } from '../../support/envoy.ts';
import { exampleProxy } from '../dump/example-dump.ts';
import { type GoldenCase, goldenCases } from './golden.ts';

/** DNS caches are Envoy's, not a cluster's: those of other cases may have other settings. */
function withOwnCache(type: NonNullable<ClusterJson['clusterType']>, name: string): NonNullable<ClusterJson['clusterType']> {
  const config = type.typedConfig as unknown as { dnsCacheConfig: object };
  return { ...type, typedConfig: Object.assign({}, type.typedConfig, { dnsCacheConfig: { ...config.dnsCacheConfig, name } }) };
}

/** The clusters of a case under names of their own; load assignments as STATIC clusters, which check them as EDS does. */
function clustersOf(golden: GoldenCase, index: number): ClusterJson[] {
  // Envoy 1.40 falls over a static cluster that is ready before ADS is and has secrets from it; envoy-takes-tls.test.ts hands it those over ADS.
  const usable = golden.clusters.filter((c) => c.type === 'EDS' || secretNames({ listeners: [], clusters: [c] }).length === 0);
  const own = usable.map((cluster) => {
    const name = `${index} ${cluster.name}`;
    return {
      ...cluster,
      name,
      ...(cluster.loadAssignment && { loadAssignment: { ...cluster.loadAssignment, clusterName: name } }),
      ...(cluster.clusterType && { clusterType: withOwnCache(cluster.clusterType, name) }),
    };
  });
  const assignments = golden.endpoints.map((assignment): ClusterJson => {
    const name = `${index} endpoints ${assignment.clusterName}`;
    const { commonLbConfig } = golden.clusters.find((c) => c.name === assignment.clusterName)!;
    return {
      name,
      type: 'STATIC',
      connectTimeout: '1s',
      ...(commonLbConfig && { commonLbConfig }),
      loadAssignment: { ...assignment, clusterName: name },
    };
  });
  return [...own, ...assignments];
}

const found = realEnvoy();
if ('missing' in found) {
  console.log(`SKIP Envoy on the clusters of the golden cases: ${found.missing}`);
  test.skip('Envoy accepts every cluster of the golden cases', () => undefined);
} else {
  const envoy = found.path;
  test('Envoy accepts every cluster of the golden cases', async () => {
    const cases = [
      ...(await goldenCases('test/envoy/clusters/fixtures', 'clusters')),
      ...(await goldenCases('test/envoy/endpoints/fixtures', 'endpoints')),
    ];
    const config = bootstrap(exampleProxy, {
      config: { rootNamespace: 'istio-system', trustDomain: 'cluster.local', domain: 'cluster.local' },
      version: '0.1.0',
      admin: { address: '127.0.0.1', port: 0 },
      xdsPath: './XDS',
      status: { address: '127.0.0.1', port: 15020 },
      metricsPort: 15090,
      readinessPort: 15021,
    });
    config.staticResources!.clusters!.push(...cases.flatMap(clustersOf));
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
    try {
      const file = join(folder, 'bootstrap.json');
      writeFileSync(file, JSON.stringify(config));
      const said = await new Promise<string>((resolve) => {
        execFile(envoy, ['--mode', 'validate', '-l', 'error', '-c', file], { timeout: 60_000 }, (error, out, err) =>
          resolve(error ? `${error.message}\n${err}` : out),
        );
      });
      assert.match(said, /bootstrap\.json' OK/, said.slice(0, 1000));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test.run();
