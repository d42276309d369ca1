/** The policy of payments-authorization.yaml for a workload that is called past its proxy: nothing enforces it there, so it must not be ignored. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startBackend } from '../support/backend.ts';
import { createClient } from '../support/http.ts';
import { service, startMesh, testPort, workload } from '../support/mesh.ts';

const policy = readFileSync(new URL('meshes/payments-authorization.yaml', import.meta.url), 'utf8');

test('the mesh is refused with the policy’s line, and runs only when asked to run without it', async () => {
  const backend = await startBackend('payments');
  const around = `${service('payments')}${workload('payments', { app: 'payments' }, backend.port, { 'fairlead.dev/http-proxy-port': String(testPort()) })}`;
  const refused = await startMesh({ 'policy.yaml': policy, 'around.yaml': around });
  try {
    const { config, proxies } = refused.agent.status();
    assert.is(config.state, 'refused');
    assert.equal(proxies, []);
    const said = config.problems.find((p) => p.severity === 'error');
    assert.ok(said);
    assert.match(said.rule, /^unsupported\//);
    assert.is(said.origin, 'AuthorizationPolicy default/payments-to-billing');
    assert.ok(said.position?.file.endsWith('policy.yaml'));
  } finally {
    await refused.close();
  }
  const allowed = await startMesh({ 'policy.yaml': policy, 'around.yaml': around }, { allowUnenforced: true });
  const client = createClient(allowed.httpProxy('payments.default'));
  try {
    assert.is((await client.get('http://payments/')).status, 200);
    assert.ok(allowed.agent.status().config.problems.some((p) => p.origin === 'AuthorizationPolicy default/payments-to-billing'));
  } finally {
    client.close();
    await allowed.close();
    await backend.close();
  }
});

test.run();
