/** The real Envoy accepts every listener of the golden cases that has certificates. */
import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bootstrap } from '../../src/envoy/dump/bootstrap.ts';
import { secretNames } from '../../src/envoy/secret-names.ts';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { realEnvoy } from '../support/envoy.ts';
import { exampleProxy } from './dump/example-dump.ts';
import { readCase, runCase } from './golden-case.ts';

function bootstrapWith(snapshot: Snapshot): object {
  const config = bootstrap(exampleProxy, {
    config: { rootNamespace: 'istio-system', trustDomain: 'cluster.local', domain: 'cluster.local' },
    version: '0.1.0',
    admin: { address: '127.0.0.1', port: 0 },
    xdsPath: './XDS',
    status: { address: '127.0.0.1', port: 15020 },
    metricsPort: 15090,
    readinessPort: 15021,
  });
  config.staticResources!.listeners!.push(...snapshot.listeners);
  config.staticResources!.clusters!.push(...snapshot.clusters);
  return config;
}

const found = realEnvoy();
if ('missing' in found) {
  console.log(`SKIP Envoy on the listeners of the golden cases: ${found.missing}`);
  test.skip('Envoy accepts the listeners of the golden cases', () => undefined);
} else {
  const envoy = found.path;
  const validate = (file: string): Promise<string> =>
    new Promise((resolve) => {
      execFile(envoy, ['--mode', 'validate', '-l', 'warn', '-c', file], { timeout: 60_000 }, (error, out, err) =>
        resolve(error ? `${error.message}\n${err}` : `${out}${err}`),
      );
    });
  let accepted = 0;
  for (const file of globSync(
    `${import.meta.dirname}/fixtures/cases/{mtls,gateway-t,inbound,none-mode-sidecar,sidecar-whole}*.yaml`,
  ).sort()) {
    test(`Envoy accepts ${basename(file, '.yaml')}`, async () => {
      const { snapshot } = await runCase(readCase(file));
      if (snapshot === undefined || secretNames(snapshot).length === 0) return;
      const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
      try {
        const config = join(folder, 'bootstrap.json');
        writeFileSync(config, JSON.stringify(bootstrapWith(snapshot)));
        const said = await validate(config);
        assert.match(said, /bootstrap\.json' OK/);
        assert.not.match(said, /[Dd]eprecated/);
        accepted++;
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
  test('there is something to accept', () => assert.ok(accepted > 8, `${accepted} cases have certificates`));
}

test.run();
