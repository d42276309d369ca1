/** The agent's metrics, as promtool checks them and as a real Prometheus scrapes them, from either engine. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Backend, startBackend } from '../../support/backend.ts';
import { realEnvoy } from '../../support/envoy.ts';
import { createClient, until } from '../../support/http.ts';
import { service, startMesh, type TestMesh, testPort, workload } from '../../support/mesh.ts';
import { realPrometheus } from '../../support/prometheus.ts';

const prometheus = realPrometheus();
let backend: Backend;

test.before(async () => {
  backend = await startBackend('web');
});
test.after(() => backend.close());

const files = (): Record<string, string> => ({
  'mesh.yaml': `${service('web')}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: upstream }
spec:
  hosts: [upstream.example.com]
  resolution: STATIC
  location: MESH_INTERNAL
  ports: [{ number: 80, name: http, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.1, ports: { http: ${backend.port} }, labels: { app: upstream, version: v7 } }]
${workload('web-1', { app: 'web', version: 'v1' }, backend.port, { 'fairlead.dev/http-proxy-port': String(testPort()) })}
${workload('shop-1', { app: 'shop', version: 'v2' }, 1, { 'fairlead.dev/http-proxy-port': String(testPort()) })}
`,
  'telemetry.yaml': `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: tags, namespace: istio-system }
spec:
  metrics:
  - providers: [{ name: prometheus }]
    overrides:
    - match: { metric: REQUEST_COUNT, mode: CLIENT }
      tagOverrides:
        user: { value: "has(request.headers['x-user']) ? request.headers['x-user'] : 'nobody'" }
        source_cluster: { operation: REMOVE }
    - { match: { metric: RESPONSE_SIZE }, disabled: true }
`,
});

interface Series {
  metric: Record<string, string>;
  value: number;
}

async function query(url: string, expression: string): Promise<Series[]> {
  const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
  const { data } = (await answer.json()) as { data: { result: { metric: Record<string, string>; value: [number, string] }[] } };
  return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** A Prometheus that scrapes one target each second. */
async function startPrometheus(binary: string, target: string): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-prom-'));
  const config = join(folder, 'prometheus.yml');
  const job = { job_name: 'fairlead', metrics_path: '/stats/prometheus', static_configs: [{ targets: [target] }] };
  writeFileSync(config, JSON.stringify({ global: { scrape_interval: '1s' }, scrape_configs: [job] }));
  const port = await freePort();
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=127.0.0.1:${port}`];
  const child = spawn(binary, args, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function callThrough(mesh: TestMesh): Promise<void> {
  const client = createClient(mesh.httpProxy('shop-1.default'));
  for (let i = 0; i < 3; i++) await client.get('http://web/', { 'x-user': 'mary "the\\boss"' });
  await client.get('http://upstream.example.com/');
  await client.get('http://web/missing', { 'x-user': 'tom' });
  client.close();
}

if ('missing' in prometheus) {
  test.skip(`Prometheus scrapes the agent (no Prometheus: ${prometheus.missing})`, () => undefined);
} else {
  for (const engine of ['embedded', 'envoy'] as const) {
    const envoy = realEnvoy();
    if (engine === 'envoy' && 'missing' in envoy) {
      test.skip(`Prometheus scrapes the agent with Envoy (no Envoy: ${envoy.missing})`, () => undefined);
      continue;
    }
    test(`Prometheus scrapes the agent, engine ${engine}`, async () => {
      if ('path' in envoy) process.env['ENVOY_PATH'] = envoy.path;
      const usual = backend.handler;
      backend.handler = (request, response) => (request.url === '/missing' ? response.writeHead(404).end() : usual(request, response));
      const mesh = await startMesh(files(), { engine, metrics: { host: '127.0.0.1', port: 0, required: true } });
      const target = mesh.agent.api.metricsUrl!;
      const real = await startPrometheus(prometheus.prometheus, target.replace('http://', ''));
      try {
        await callThrough(mesh);
        const scraped = async (): Promise<string> => (await fetch(`${target}/metrics`)).text();
        await until('the records are counted', async () => /istio_requests_total\{[^}]*response_code="404"/.test(await scraped()));
        const text = await scraped();
        const checked = spawnSync(prometheus.promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' });
        // Envoy's names and Istio's unit are theirs; what promtool says of them is style. What cannot be parsed is not.
        const bad = checked.stderr
          .split('\n')
          .filter((l) => l !== '' && !/^(envoy_|istio_request_duration_milliseconds use base unit)/.test(l));
        assert.equal(bad, [], checked.stderr);
        const typed = [...text.matchAll(/^# TYPE (\S+)/gm)].map((m) => m[1]);
        assert.is(new Set(typed).size, typed.length, 'a family is written once');

        await until(
          'Prometheus has them',
          async () => (await query(real.url, 'istio_requests_total{response_code="404"}').catch(() => [])).length > 0,
          20_000,
        );
        const [web] = await query(real.url, 'istio_requests_total{destination_service_name="web",response_code="200"}');
        assert.is(web?.value, 3);
        const { __name__, instance, job, ...labels } = web!.metric;
        assert.equal(labels, {
          reporter: 'source',
          source_workload: 'shop-1',
          source_workload_namespace: 'default',
          source_principal: 'unknown',
          source_app: 'shop',
          source_version: 'v2',
          source_canonical_service: 'shop',
          source_canonical_revision: 'v2',
          destination_workload: 'web-1',
          destination_workload_namespace: 'default',
          destination_principal: 'unknown',
          destination_app: 'web',
          destination_version: 'v1',
          destination_canonical_service: 'web',
          destination_canonical_revision: 'v1',
          destination_cluster: 'Kubernetes',
          destination_service: 'web.default.svc.cluster.local',
          destination_service_name: 'web',
          destination_service_namespace: 'default',
          request_protocol: 'http',
          response_code: '200',
          response_flags: '-',
          connection_security_policy: 'unknown',
          user: 'mary "the\\boss"',
        });
        const [entry] = await query(real.url, 'istio_requests_total{destination_service="upstream.example.com"}');
        assert.is(entry?.metric['destination_version'], 'v7');
        assert.is(entry?.metric['user'], 'nobody');
        const [durations] = await query(real.url, 'sum(istio_request_duration_milliseconds_count)');
        assert.is(durations?.value, 5);
        assert.equal(await query(real.url, 'istio_response_bytes_count'), [], 'Telemetry turned it off');
        const [synced] = await query(real.url, 'fairlead_agent_proxy_synced{proxy="shop-1.default"}');
        assert.is(synced?.value, 1);
        const types = await query(real.url, 'fairlead_agent_proxy_xds_synced{proxy="shop-1.default",type="CDS"}');
        assert.equal(
          types.map((s) => s.value),
          engine === 'envoy' ? [1] : [],
        );
        const [own] = await query(
          real.url,
          'envoy_cluster_upstream_rq_total{proxy="shop-1.default",cluster_name="outbound|80||web.default.svc.cluster.local"}',
        );
        assert.is(own?.value, 4, 'Envoy’s own stats, by proxy');
        assert.is((await fetch(`${target}/healthz/ready`)).status, 200);
        assert.is((await fetch(`${target}/quitquitquit`, { method: 'POST' })).status, 405, 'it tells, and changes nothing');
        const api = await fetch(`${mesh.agent.api.url}/stats/prometheus`);
        assert.match(await api.text(), /^istio_requests_total/m, 'the API has them too');
      } finally {
        await real.stop();
        await mesh.close();
        backend.handler = usual;
      }
    });
  }
}

test.run();
