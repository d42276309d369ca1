import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isPrometheus, withIstioLabels } from '../../../agent/envoy/istio-labels.ts';
import { exchange, type HttpTarget, httpTarget } from '../../../agent/http-client.ts';
import { extractTags } from '../../../agent/proxy/stats/tags.ts';
import { bootstrap } from '../../../src/envoy/dump/bootstrap.ts';
import { resolveMeshConfig } from '../../../src/mesh/mesh-config.ts';
import { exampleProxy } from '../../envoy/dump/example-dump.ts';
import { realEnvoy } from '../../support/envoy.ts';
import { freePort } from '../../support/free-ports.ts';
import { until } from '../../support/http.ts';
import { withScratch } from '../../support/scratch.ts';

const envoy = realEnvoy();
const CLUSTER = 'outbound|80||web.default.svc.cluster.local';

/** The bootstrap, with names as generated clusters and listeners have them. */
function config(folder: string, port: number): object {
  const options = {
    config: resolveMeshConfig({}),
    version: 'test',
    admin: { path: join(folder, 'admin') },
    xdsPath: join(folder, 'xds'),
    metricsPort: port,
  };
  // Nobody serves xDS here, and Envoy would wait for it.
  const { dynamicResources: _, ...rest } = bootstrap(exampleProxy, options);
  const text = JSON.stringify(rest);
  return JSON.parse(
    text
      .replace('"name":"prometheus_stats"', `"name":"prometheus_stats","altStatName":"${CLUSTER};"`)
      .replace('"statPrefix":"stats"', `"statPrefix":"outbound_0.0.0.0_${port};"`),
  ) as object;
}

if ('missing' in envoy) test.skip(`Envoy’s stats have Istio’s labels (no Envoy: ${envoy.missing})`, () => undefined);
else
  test(
    'Envoy’s stats have Istio’s labels, as the embedded proxy’s have',
    withScratch(async (folder) => {
      const port = await freePort();
      const file = join(folder, 'bootstrap.json');
      writeFileSync(file, JSON.stringify(config(folder, port)));
      const child = spawn(envoy.path, ['-c', file, '--disable-hot-restart', '--concurrency', '1', '-l', 'error'], { stdio: 'ignore' });
      const ended = once(child, 'exit');
      try {
        const admin = httpTarget(`unix:${join(folder, 'admin')}`) as HttpTarget;
        const own = httpTarget(`http://127.0.0.1:${port}`) as HttpTarget;
        await until('it serves its stats', async () => {
          if (child.exitCode !== null) throw new Error(`Envoy ended with ${child.exitCode}`);
          return exchange(own, 'GET', '/stats/prometheus').then(
            ({ status }) => status === 200,
            () => false,
          );
        });
        const said = withIstioLabels(await exchange(admin, 'GET', '/stats/prometheus')).body.toString('utf8');
        const http = `http.outbound_0.0.0.0_${port};`;
        for (const [sample, stat] of [
          ['envoy_cluster_membership_total', `cluster.${CLUSTER};.membership_total`],
          ['envoy_cluster_upstream_rq', `cluster.${CLUSTER};.upstream_rq_200`],
          ['envoy_cluster_upstream_rq_xx', `cluster.${CLUSTER};.upstream_rq_2xx`],
          ['envoy_http_downstream_rq_xx', `${http}.downstream_rq_2xx`],
          ['envoy_listener_downstream_cx_total', `listener.0.0.0.0_${port}.downstream_cx_total`],
          ['envoy_server_live', 'server.live'],
        ] as const) {
          const labels = extractTags(stat).tags.map(([name, value]) => `${name}="${value}"`);
          assert.ok(
            samples(said, sample).includes(labels.sort().join()),
            `${sample}: ${labels}; there are ${samples(said, sample).join(' and ')}`,
          );
        }
        assert.not.match(said, 'envoy_response_code');
      } finally {
        child.kill('SIGKILL');
        await ended;
      }
    }),
  );

/** The labels of all samples with this name, sorted. */
function samples(text: string, name: string): string[] {
  const found = text.matchAll(new RegExp(`^${name}\\{(.*)\\} \\d+$`, 'gm'));
  return [...found].map(([, labels = '']) =>
    labels
      .split(/,(?=\w+=)/)
      .sort()
      .join(),
  );
}

test('only answers for Prometheus are given other labels', () => {
  for (const path of ['/stats/prometheus', '/stats/prometheus?usedonly', '/stats?usedonly&format=prometheus'])
    assert.ok(isPrometheus(path), path);
  for (const path of ['/stats', '/stats?format=json', '/stats/recentlookups', '/clusters']) assert.not.ok(isPrometheus(path), path);
});

test.run();
