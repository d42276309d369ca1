/** The policy of payments-authorization.yaml as it is, on both engines: billing's identity gets through, no other does, and no plain text. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EngineChoice } from '../../agent/choose-engine.ts';
import { createLog } from '../../agent/log.ts';
import { logRefusals } from '../../agent/log-refusals.ts';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';
import { startBackend } from '../support/backend.ts';
import { realEnvoy } from '../support/envoy.ts';
import { createClient, until } from '../support/http.ts';
import { client, secured, service, startMesh, testPort } from '../support/mesh.ts';

const policy = readFileSync(new URL('meshes/payments-authorization.yaml', import.meta.url), 'utf8');
const envoy = realEnvoy();
const engines: EngineChoice[] = 'path' in envoy ? ['embedded', 'envoy'] : ['embedded'];

const strict = `---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: payments }
spec: { selector: { matchLabels: { app: payments } }, mtls: { mode: STRICT } }
`;

for (const engine of engines) {
  test(`${engine}: billing.myapp.com gets 200, any other identity 403, plain text no answer`, async () => {
    if ('path' in envoy) process.env['ENVOY_PATH'] = envoy.path;
    const backend = await startBackend('payments');
    const inbound = testPort();
    const mesh = await startMesh(
      {
        'policy.yaml': policy,
        'around.yaml': [
          service('payments'),
          secured('payments', inbound, backend.port),
          client('billing', { 'fairlead.dev/dns-names': 'billing.myapp.com' }),
          client('shop', { 'fairlead.dev/dns-names': 'shop.myapp.com' }),
          strict,
        ].join(''),
      },
      { engine },
    );
    const records: RequestRecord[] = [];
    mesh.agent.engine.onRecord((record) => records.push(record));
    const lines: string[] = [];
    logRefusals(
      mesh.agent,
      createLog('text', 'info', (line) => lines.push(line)),
    );
    const [billing, shop, plain] = [
      createClient(mesh.httpProxy('billing.default')),
      createClient(mesh.httpProxy('shop.default')),
      createClient(),
    ];
    try {
      const { status, body } = await billing.get('http://payments/x');
      assert.is(status, 200, body);
      const { headers } = JSON.parse(body) as { headers: Record<string, string> };
      assert.match(headers['x-forwarded-client-cert'] ?? '', 'URI=spiffe://cluster.local/ns/default/sa/billing;DNS=billing.myapp.com');
      const refused = await shop.get('http://payments/x');
      assert.is(refused.status, 403);
      assert.is(refused.body, 'RBAC: access denied');
      await until('the denial is recorded', () => records.some((r) => r.proxy === 'payments.default' && r.status === 403));
      const denied = records.find((r) => r.proxy === 'payments.default' && r.status === 403);
      assert.match(denied?.details ?? '', /^rbac_access_denied_matched_policy\[/);
      assert.is(denied?.upstreamCluster, `inbound|${inbound}||`);
      await until('the denial is in the log', () => lines.length > 0);
      assert.match(
        lines[0] ?? '',
        /warning denied: no rule of payments-to-billing allows it"? proxy=payments\.default method=GET url=payments\/x status=403 from=127\.0\.0\.1:\d+ principal=spiffe:\/\/cluster\.local\/ns\/default\/sa\/shop at=policy\.yaml:5\n$/,
      );
      const answer = await plain.get(`http://127.0.0.1:${inbound}/x`).then(
        ({ status: given }) => String(given),
        () => 'none',
      );
      assert.is(answer, 'none');
      assert.is(backend.requests, 1);
    } finally {
      for (const c of [billing, shop, plain]) c.close();
      await mesh.close();
      await backend.close();
    }
  });
}

test('without a proxy on the port that it is about, the policy is refused with its line, and runs only when asked to run without it', async () => {
  const backend = await startBackend('payments');
  const around = `${service('payments')}${client('payments', {}, backend.port)}`;
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
  const caller = createClient(allowed.httpProxy('payments.default'));
  try {
    assert.is((await caller.get('http://payments/')).status, 200);
    assert.ok(allowed.agent.status().config.problems.some((p) => p.origin === 'AuthorizationPolicy default/payments-to-billing'));
  } finally {
    caller.close();
    await allowed.close();
    await backend.close();
  }
});

test.run();
