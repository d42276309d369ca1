/** What `fairlead up` says of calls that a policy denies, and of connections that mutual TLS keeps out, on both engines. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startBackend } from '../support/backend.ts';
import { startFairlead } from '../support/cli.ts';
import { realEnvoy } from '../support/envoy.ts';
import { createClient, until } from '../support/http.ts';
import { client, secured, service, testPort } from '../support/mesh.ts';
import { withScratch } from '../support/scratch.ts';

const envoy = realEnvoy();

const POLICIES = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict }
spec: { mtls: { mode: STRICT } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: to-payments }
spec:
  selector: { matchLabels: { app: payments } }
  rules: [{ from: [{ source: { principals: [cluster.local/ns/default/sa/billing] } }] }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: no-admin }
spec:
  action: DENY
  rules:
    - to: [{ operation: { paths: [/admin] } }]
`;

for (const engine of ['embedded', 'envoy'] as const) {
  if (engine === 'envoy' && 'missing' in envoy) {
    test.skip(`envoy: ${envoy.missing}`, () => undefined);
    continue;
  }
  test(
    `${engine}: denied requests name the policy and its line, refused connections say why`,
    withScratch(async (folder) => {
      const backend = await startBackend('payments');
      const [inbound, billing, other] = [testPort(), testPort(), testPort()];
      mkdirSync(join(folder, 'mesh'));
      const proxy = (port: number): Record<string, string> => ({ 'fairlead.dev/http-proxy-port': String(port) });
      const mesh = `${service('payments')}${secured('payments', inbound, backend.port)}${client('billing', proxy(billing))}${client('other', proxy(other))}`;
      writeFileSync(join(folder, 'mesh', 'mesh.yaml'), mesh);
      writeFileSync(join(folder, 'mesh', 'policies.yaml'), POLICIES);
      const env: Record<string, string> = { FAIRLEAD_ENGINE: engine, ...('path' in envoy ? { ENVOY_PATH: envoy.path } : {}) };
      const up = startFairlead(['up', join(folder, 'mesh'), '--data', join(folder, 'data'), '--api-port', '0'], env);
      const clients = [billing, other].map((port) => createClient(`127.0.0.1:${port}`));
      const plain = createClient();
      const status = (n: number, path: string): Promise<number> =>
        (clients[n] as (typeof clients)[0]).get(`http://payments${path}`).then(
          (answer) => answer.status,
          () => 0,
        );
      try {
        // Requests are told from then on; the proxies serve a moment before.
        await until('up tells what it runs', () => /payments/.test(up.out()), 60_000);
        await until('billing is served', async () => (await status(0, '/')) === 200, 60_000);
        assert.is(await status(1, '/'), 403);
        assert.is(await status(0, '/admin'), 403);
        await plain.get(`http://127.0.0.1:${inbound}/`).catch(() => undefined);
        await new Promise((resolve) => {
          const socket = connect({ port: inbound, host: '127.0.0.1', rejectUnauthorized: false });
          socket.on('error', () => undefined).on('close', resolve);
          socket.resume();
        });
        for (const line of [
          /GET {2}403 .*payments\.default -> payments\/ .*denied: no rule of to-payments allows it {2}policies\.yaml:8$/m,
          /GET {2}403 .*payments\.default -> payments\/admin .*denied by no-admin rule 1 {2}policies\.yaml:19$/m,
          new RegExp(
            `TCP {2}NR .*-> payments\\.default 127\\.0\\.0\\.1:${inbound} {2}refused: it is plain text, and mutual TLS is required \\(STRICT\\) {2}policies\\.yaml:4$`,
            'm',
          ),
          /TCP {2}TLS .*refused: it showed no certificate {2}policies\.yaml:4$/m,
        ])
          await until(String(line), () => line.test(up.out()), 5000).catch((error: Error) => {
            throw new Error(`${error.message}\n${up.out()}\n${up.err()}`);
          });
      } finally {
        for (const one of [...clients, plain]) one.close();
        up.child.kill('SIGTERM');
        await up.ended;
        await backend.close();
      }
    }),
  );
}

test.run();
