/** The port for metrics and health: what happens when it is taken, and what it answers while the data plane is away. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startMetricsServer } from '../../../agent/api/metrics-server.ts';
import { createStatsMerger } from '../../../agent/telemetry/merge-stats.ts';
import type { FairleadError } from '../../../src/errors.ts';
import { startMesh, testPort, workload } from '../../support/mesh.ts';

const files = (): Record<string, string> => ({
  'mesh.yaml': workload('web-1', { app: 'web' }, 1, { 'fairlead.dev/http-proxy-port': String(testPort()) }),
});

test('a port that was asked for must be free; the default one is left out', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  try {
    const error = await startMesh(files(), { engine: 'embedded', metrics: { host: '127.0.0.1', port, required: true } }).catch(
      (e: FairleadError) => e,
    );
    assert.is((error as FairleadError).code, 'E_PORT_IN_USE');
    assert.match((error as FairleadError).next ?? '', /--metrics-port/);
    const mesh = await startMesh(files(), { engine: 'embedded', metrics: { host: '127.0.0.1', port, required: false } });
    try {
      assert.is(mesh.agent.api.metricsUrl, undefined);
      assert.is((await fetch(`${mesh.agent.api.url}/metrics`)).status, 200, 'the API has them all the same');
    } finally {
      await mesh.close();
    }
  } finally {
    other.close();
  }
});

test('not ready says why', async () => {
  let why: string | undefined = 'the data plane is backing-off';
  const metrics = { text: async () => 'a 1\n', close: () => undefined };
  const server = await startMetricsServer({ host: '127.0.0.1', port: 0, metrics, unready: () => why });
  try {
    const unready = await fetch(`${server.url}/healthz/ready`);
    assert.is(unready.status, 503);
    assert.is(await unready.text(), 'the data plane is backing-off\n');
    why = undefined;
    assert.is((await fetch(`${server.url}/healthz/ready`)).status, 200);
    assert.is((await fetch(`${server.url}/`)).status, 404);
    assert.match((await fetch(`${server.url}/metrics`)).headers.get('content-type') ?? '', /version=0\.0\.4/);
  } finally {
    server.close();
  }
});

test('stats of several proxies are one text, each family once', () => {
  const merger = createStatsMerger();
  const stats = '# TYPE a counter\na{x="1,2}"} 3\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum{} 1\nh_count 1\n';
  merger.add('proxy="p"', stats);
  merger.add('proxy="q"', '# TYPE a counter\na 4\nno sample here\n');
  assert.is(
    merger.text(),
    [
      '# TYPE a counter',
      'a{proxy="p",x="1,2}"} 3',
      'a{proxy="q"} 4',
      '# TYPE h histogram',
      'h_bucket{proxy="p",le="1"} 1',
      'h_bucket{proxy="p",le="+Inf"} 1',
      'h_sum{proxy="p"} 1',
      'h_count{proxy="p"} 1',
      '',
    ].join('\n'),
  );
});

test.run();
