/** The real Envoy takes, over ADS, clusters with secrets that it cannot have in a static bootstrap: those that need not warm. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { secretNames } from '../../src/envoy/secret-names.ts';
import { withEnvoyEngine } from '../agent/envoy/bench.ts';
import { caSecret, certificateSecret, createPki } from '../proxy/tls/pki.ts';
import { realEnvoy } from '../support/envoy.ts';
import { goldenCases } from './clusters/golden.ts';

const envoy = realEnvoy();
const name = 'Envoy takes clusters of hosts that the request or the connection names, with their secrets';
if ('missing' in envoy) {
  test.skip(`${name} (no Envoy: ${envoy.missing})`, () => undefined);
} else {
  test(
    name,
    withEnvoyEngine(envoy.path, async ({ make, snapshot, ask }) => {
      const engine = await make();
      const own = await snapshot();
      const cases = await goldenCases('test/envoy/clusters/fixtures', 'clusters');
      const more = cases
        .filter((c) => c.name === 'mtls-headless' || c.name === 'fixed-dynamic-dns-tls')
        .flatMap((c) => c.clusters)
        .filter((c) => c.transportSocket !== undefined);
      assert.equal(more.map((c) => c.name).sort(), ['AllowAnyDynamicDNSCluster', 'outbound|90||both.default.svc.cluster.local']);
      const clusters = [...own.clusters, ...more].sort((a, b) => (a.name! < b.name! ? -1 : 1));
      const pki = await createPki();
      const secrets = secretNames({ listeners: own.listeners, clusters });
      assert.equal(secrets, ['ROOTCA', 'default', 'file-root:system']);
      await engine.applySecrets(own.proxy.id, [
        caSecret('ROOTCA', pki.ca),
        certificateSecret('default', await pki.issue({ uris: ['spiffe://cluster.local/ns/default/sa/a'] })),
        caSecret('file-root:system', pki.ca),
      ]);
      const result = await engine.apply({ ...own, version: 'more', clusters });
      assert.ok(result.applied, JSON.stringify(result));
      assert.is(await ask(), 200);
      assert.is(engine.status().restarts, 0);
    }),
  );
}

test.run();
