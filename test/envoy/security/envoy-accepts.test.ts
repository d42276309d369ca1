/** The real Envoy accepts every listener that carries policies in the golden cases, with its clusters. */
import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import { bootstrap } from '../../../src/envoy/dump/bootstrap.ts';
import { realEnvoy } from '../../support/envoy.ts';
import { exampleProxy } from '../dump/example-dump.ts';
import { readCase, runCase } from '../golden-case.ts';

const files = globSync(`${import.meta.dirname}/../fixtures/cases/{authorization,tokens}-*.yaml`).sort();

/** Listeners of several cases have one name, and one address. */
function apart(listener: ListenerJson, index: number): ListenerJson {
  return {
    ...listener,
    name: `${index} ${listener.name}`,
    address: { socketAddress: { address: `127.0.${index >> 8}.${index & 255}`, portValue: 15006 } },
  };
}

/** Secrets of clusters come by ADS, which `--mode validate` does not have for static ones: it crashes (1.40). */
function withoutSecrets({ transportSocket, transportSocketMatches, ...cluster }: ClusterJson): ClusterJson {
  return cluster;
}

function validate(envoy: string, config: object, folder: string): Promise<string> {
  const file = join(folder, 'bootstrap.json');
  writeFileSync(file, JSON.stringify(config));
  return new Promise((resolve) => {
    execFile(envoy, ['--mode', 'validate', '-l', 'error', '-c', file], { timeout: 60_000 }, (error, out, err) =>
      resolve(error ? `${error.message}\n${err}` : out),
    );
  });
}

const found = realEnvoy();
if ('missing' in found) {
  console.log(`SKIP Envoy on the policies of the golden cases: ${found.missing}`);
  test.skip('Envoy accepts the policies of the golden cases', () => undefined);
} else {
  const envoy = found.path;
  test('Envoy accepts the policies of the golden cases', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
    const refused: string[] = [];
    try {
      let seen = 0;
      const config = bootstrap(exampleProxy, {
        config: { rootNamespace: 'istio-system', trustDomain: 'cluster.local', domain: 'cluster.local' },
        version: '0.1.0',
        admin: { address: '127.0.0.1', port: 0 },
        xdsPath: './XDS',
        status: { address: '127.0.0.1', port: 15020 },
        metricsPort: 15090,
        readinessPort: 15021,
      });
      const resources = config.staticResources!;
      const [listeners, clusters] = [[...resources.listeners!], [...resources.clusters!]];
      for (const [index, file] of files.entries()) {
        const { snapshot } = await runCase(readCase(file));
        assert.ok(snapshot, `${basename(file)} is a mesh`);
        const own = snapshot.listeners.filter((l) => /\.(?:rbac|ext_authz|jwt_authn)"/.test(JSON.stringify(l)));
        seen += own.length;
        resources.listeners = [...listeners, ...own.map((l, i) => apart(l, index * 8 + i + 2))];
        resources.clusters = [...clusters, ...snapshot.clusters.map(withoutSecrets)];
        const said = await validate(envoy, config, folder);
        if (!/bootstrap\.json' OK/.test(said)) refused.push(`${basename(file)}: ${said}`);
      }
      assert.equal(refused, []);
      assert.ok(seen >= files.length - 2, `${seen} listeners with policies`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test.run();
