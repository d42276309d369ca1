/** The mesh of payments-split.yaml as it is, with its service and two versions beside it. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startBackend } from '../support/backend.ts';
import { createClient } from '../support/http.ts';
import { service, startMesh, testPort, workload } from '../support/mesh.ts';

const split = readFileSync(new URL('meshes/payments-split.yaml', import.meta.url), 'utf8');

test('90 % of 10,000 requests for payments.myapp.com reach v1', async () => {
  const [v1, v2] = await Promise.all([startBackend('v1'), startBackend('v2')]);
  const port = testPort();
  const mesh = await startMesh({
    'split.yaml': split,
    'around.yaml': `${service('payments')}${workload('payments-v1', { app: 'payments', version: 'v1' }, v1.port, { 'fairlead.dev/http-proxy-port': String(port) })}${workload('payments-v2', { app: 'payments', version: 'v2' }, v2.port, { 'fairlead.dev/http-proxy-port': String(testPort()) })}---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: payments }
spec:
  host: payments
  subsets:
  - { name: v1, labels: { version: v1 } }
  - { name: v2, labels: { version: v2 } }
`,
  });
  const client = createClient(mesh.httpProxy('payments-v1.default'), 32);
  try {
    assert.is(mesh.httpProxy('payments-v1.default'), `127.0.0.1:${port}`);
    let bad = 0;
    const one = async (): Promise<void> => {
      const { status } = await client.get('http://payments.myapp.com/');
      if (status !== 200) bad++;
    };
    for (let done = 0; done < 10_000; done += 100) await Promise.all(Array.from({ length: 100 }, one));
    assert.is(bad, 0);
    assert.is(v1.requests + v2.requests, 10_000);
    assert.ok(v1.requests >= 8850 && v1.requests <= 9150, `${v1.requests} of 10,000 on v1`);
  } finally {
    client.close();
    await mesh.close();
    await Promise.all([v1.close(), v2.close()]);
  }
});

test.run();
