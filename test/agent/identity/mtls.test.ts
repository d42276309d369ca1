// test: exclusive
/** Two workloads over mutual TLS under STRICT, in both engines: certificates and roots change under load, and no request fails. */
import { renameSync, rmSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Agent, startAgent } from '../../../agent/agent.ts';
import { initCa } from '../../../agent/ca/init.ts';
import { rotate, rotationStatus } from '../../../agent/ca/rotate.ts';
import { silentLog } from '../../../agent/log.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { fairlead } from '../../support/cli.ts';
import { realEnvoy } from '../../support/envoy.ts';
import { createClient, until } from '../../support/http.ts';
import { startMesh, type TestMesh, testPort } from '../../support/mesh.ts';
import { withScratch } from '../../support/scratch.ts';

const envoy = realEnvoy();

interface Bench {
  mesh: TestMesh;
  ca: string;
  ask(): Promise<string>;
  /** Of the server's port, without TLS. */
  askPlain(): Promise<string>;
}

function yaml(ports: { client: number; server: number; inbound: number; app: number }): string {
  return `apiVersion: v1
kind: Service
metadata: { name: payments, namespace: default }
spec: { selector: { app: payments }, ports: [{ name: http, port: 80, targetPort: ${ports.inbound} }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: payments, namespace: default, annotations: { fairlead.dev/http-proxy-port: "${ports.server}" } }
spec: { address: 127.0.0.1, labels: { app: payments }, serviceAccount: payments, ports: { http: ${ports.inbound} } }
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: payments, namespace: default }
spec:
  workloadSelector: { labels: { app: payments } }
  ingress:
    - { port: { number: ${ports.inbound}, protocol: HTTP, name: http }, bind: 127.0.0.1, captureMode: NONE, defaultEndpoint: "127.0.0.1:${ports.app}" }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: billing, namespace: default, annotations: { fairlead.dev/http-proxy-port: "${ports.client}" } }
spec: { address: 127.0.0.1, labels: { app: billing }, serviceAccount: billing }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: istio-system }
spec: { mtls: { mode: STRICT } }
`;
}

const withMesh = (engine: 'embedded' | 'envoy', certificateLifeMs: number | undefined, run: (bench: Bench) => Promise<void>) =>
  withScratch(async (folder) => {
    if (engine === 'envoy' && 'path' in envoy) process.env['ENVOY_PATH'] = envoy.path;
    const ca = `${folder}/ca`;
    const life = 100 * 86_400_000;
    await initCa(ca, {
      trustDomain: 'cluster.local',
      algorithm: 'ec-p256',
      rootLifeMs: life,
      intermediateLifeMs: life,
      passphrase: undefined,
    });
    const backend: Backend = await startBackend('payments');
    const ports = { client: testPort(), server: testPort(), inbound: testPort(), app: backend.port };
    const mesh = await startMesh(
      { 'a.yaml': yaml(ports) },
      { engine, ca: { directory: ca, passphrase: undefined }, ...(certificateLifeMs === undefined ? {} : { certificateLifeMs }) },
    );
    const client = createClient(`127.0.0.1:${ports.client}`);
    const plain = createClient();
    const said = (answer: Promise<{ status: number }>): Promise<string> =>
      answer.then(
        ({ status }) => String(status),
        (error: Error) => error.message,
      );
    try {
      await run({
        mesh,
        ca,
        ask: () => said(client.get('http://payments/')),
        askPlain: () => said(plain.get(`http://127.0.0.1:${ports.inbound}/`)),
      });
    } finally {
      client.close();
      plain.close();
      await mesh.close();
      await backend.close();
    }
  });

/** Requests on eight connections until it is ended, which tells what went wrong. */
function load(ask: () => Promise<string>): { requests(): number; end(): Promise<string[]> } {
  const failures: string[] = [];
  let requests = 0;
  let over = false;
  const loops = Array.from({ length: 8 }, async () => {
    while (!over) {
      requests++;
      const answer = await ask();
      if (answer !== '200') failures.push(answer);
      await new Promise((r) => setTimeout(r, 10));
    }
  });
  return {
    requests: () => requests,
    async end() {
      over = true;
      await Promise.all(loops);
      return failures;
    },
  };
}

for (const engine of ['embedded', 'envoy'] as const) {
  if (engine === 'envoy' && 'missing' in envoy) {
    test.skip(`envoy: ${envoy.missing}`, () => undefined);
    continue;
  }

  test(
    `${engine}: what is shown of certificates`,
    withMesh(engine, undefined, async ({ mesh, ask, askPlain }) => {
      await until('it serves', async () => (await ask()) === '200');
      assert.not.match(await askPlain(), /^\d+$/, 'plain text is refused');
      const { certificates, problems } = mesh.agent.status().identity;
      assert.equal([certificates.map(({ state }) => state), problems], [['valid', 'valid'], []]);
      const serial = certificates.find(({ identity }) => identity.endsWith('/sa/billing'))?.serial as string;

      const table = await fairlead(['proxy-config', 'secret', 'billing', '--agent', `unix:${mesh.agent.api.socket}`]);
      assert.is(table.code, 0, table.err);
      assert.match(table.out, /^RESOURCE NAME +TYPE +STATUS +VALID CERT +SERIAL NUMBER +NOT AFTER +NOT BEFORE +TRUST DOMAIN$/m);
      assert.match(
        table.out,
        new RegExp(`^default +Cert Chain +ACTIVE +true +${serial.padStart(32, '0')} +\\S+Z +\\S+Z +cluster\\.local$`, 'm'),
      );
      assert.match(table.out, /^ROOTCA +CA +ACTIVE +true /m);
      const dump = await fairlead(['proxy-config', 'all', 'billing', '--agent', `unix:${mesh.agent.api.socket}`, '-o', 'json']);
      assert.not.match(dump.out, /PRIVATE KEY/);
      assert.match(dump.out, /redacted|W3JlZGFjdGVkXQ==/);

      const metrics = (await (await fetch(`${mesh.agent.api.url}/stats/prometheus`)).text()).split('\n');
      const left = metrics.find((line) => line.startsWith('fairlead_certificate_expiry_seconds{') && line.includes('/sa/billing'));
      assert.ok(Number(left?.split(' ').at(-1)) > 86_000, left);
      assert.ok(metrics.some((line) => /^fairlead_certificate_renewals_total\{.*billing.* 1$/.test(line)));

      const doctor = await fairlead(['doctor', '--data', mesh.data, '-o', 'json', '--skip', 'agent/version']);
      const checks = (JSON.parse(doctor.out) as { checks: { id: string; state: string; message: string }[] }).checks;
      assert.is(checks.find(({ id }) => id === 'certificates/expiry')?.state, 'ok', doctor.out);
      assert.is(checks.find(({ id }) => id === 'certificates/present')?.state, 'ok');

      const check = await fairlead(['cert', 'check', `${mesh.data}/identity`, '--within', '30d']);
      assert.is(check.code, 1, check.out);
      assert.match(check.out, /^EXPIRING .*ns-default-sa-billing/m);
      assert.is((await fairlead(['cert', 'check', `${mesh.data}/identity`, '--within', '1h'])).code, 0);
    }),
  );

  test(
    `${engine}: certificates of four seconds renew under load, and no request fails`,
    withMesh(engine, 4000, async ({ mesh, ask }) => {
      await until('it serves', async () => (await ask()) === '200');
      const traffic = load(ask);
      await until('five renewals each', () => mesh.agent.status().identity.certificates.every(({ renewals }) => renewals > 5), 60_000);
      assert.equal(await traffic.end(), []);
      assert.ok(traffic.requests() > 100);
    }),
  );

  test(
    `${engine}: the agent is replaced while its CA is away, and no request fails`,
    withMesh(engine, undefined, async ({ mesh, ca, ask }) => {
      await until('it serves', async () => (await ask()) === '200');
      const serials = (agent: Agent): unknown => agent.status().identity.certificates.map(({ serial }) => serial);
      const before = serials(mesh.agent);
      const traffic = load(ask);
      await mesh.agent.detach();
      renameSync(ca, `${ca}-away`);
      const next = await startAgent({
        paths: [mesh.folder],
        namespace: 'default',
        dataDirectory: mesh.data,
        apiPort: 0,
        allowUnenforced: false,
        orphanSeconds: 20,
        version: 'test',
        engine,
        ca: { directory: ca, passphrase: undefined },
        log: silentLog,
      });
      try {
        assert.ok(next.engine.status().adopted || next.engine.status().processes.every(({ adopted }) => adopted));
        assert.equal(serials(next), before);
        await until('all is told', () => next.status().proxies.every(({ sync }) => sync === 'SYNCED'));
        const sofar = traffic.requests();
        await until('requests go on', () => traffic.requests() > sofar + 100);
        assert.equal(await traffic.end(), []);
        assert.is(await ask(), '200');
      } finally {
        await next.stop(0);
      }
    }),
  );

  test(
    `${engine}: the agent is replaced while its CA is away and what it kept is lost: the data plane serves on, and gets new certificates when the CA is back`,
    withMesh(engine, undefined, async ({ mesh, ca, ask }) => {
      await until('it serves', async () => (await ask()) === '200');
      // Each request needs a handshake of its own: connections that are there already need no certificate.
      mesh.write(
        'once.yaml',
        `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: payments }
spec: { host: payments, trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } } }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: outside, namespace: default }
spec: { hosts: [outside.example.com], ports: [{ number: 443, name: http, protocol: HTTP }], resolution: STATIC, endpoints: [{ address: 127.0.0.1 }] }
---
# One more secret, of no CA of ours.
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: outside, namespace: default }
spec: { host: outside.example.com, trafficPolicy: { tls: { mode: SIMPLE, caCertificates: system } } }
`,
      );
      await mesh.agent.controller.sync();
      const traffic = load(ask);
      await mesh.agent.detach();
      renameSync(ca, `${ca}-away`);
      rmSync(`${mesh.data}/identity`, { recursive: true });
      const next = await startAgent({
        paths: [mesh.folder],
        namespace: 'default',
        dataDirectory: mesh.data,
        apiPort: 0,
        allowUnenforced: false,
        orphanSeconds: 20,
        version: 'test',
        engine,
        ca: { directory: ca, passphrase: undefined },
        log: silentLog,
      });
      const states = (): string[] => next.status().identity.certificates.map(({ state }) => state);
      try {
        assert.equal(states(), ['missing', 'missing']);
        await next.controller.sync();
        const sofar = traffic.requests();
        await until('requests go on', () => traffic.requests() > sofar + 100);
        renameSync(`${ca}-away`, ca);
        await until('new certificates', () => states().every((state) => state === 'valid'), 60_000);
        const then = traffic.requests();
        await until('requests go on with them', () => traffic.requests() > then + 100);
        assert.equal(await traffic.end(), []);
        assert.equal(next.status().identity.problems, []);
      } finally {
        await traffic.end();
        await next.stop(0);
      }
    }),
  );

  test(
    `${engine}: a whole rotation of the root under load, and no request fails`,
    withMesh(engine, undefined, async ({ mesh, ca, ask }) => {
      await until('it serves', async () => (await ask()) === '200');
      const before = mesh.agent.status().identity.certificates.map(({ serial }) => serial);
      const traffic = load(ask);
      for (const step of ['prepare', 'activate', 'taint', 'revoke'] as const) {
        // `taint` is what makes long-lived certificates renew.
        const waits = step === 'activate' || step === 'revoke';
        if (waits) await until(step, async () => (await rotationStatus(ca, new Date())).behind.length === 0, 30_000);
        await rotate(ca, step, { force: step === 'taint' });
      }
      await until('the old root is gone', () => mesh.agent.status().identity.trust?.sequence === 3, 30_000);
      assert.equal(await traffic.end(), []);
      assert.is(await ask(), '200');
      for (const { serial } of mesh.agent.status().identity.certificates) assert.not.ok(before.includes(serial));
    }),
  );
}

test.run();
