import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { handleAdmin } from '../../../agent/proxy/admin/handler.ts';
import type { HostedProxy } from '../../../agent/proxy/host.ts';
import { createStatsRegistry } from '../../../agent/proxy/stats/registry.ts';

const test = suite('admin API');
const stats = createStatsRegistry();
stats.counter('http.x.downstream_rq_total').inc(2);
stats.counter('tcp.x.downstream_cx_total').inc();
const server = createServer((request, response) => {
  const url = new URL(request.url!, 'http://admin');
  const deps = { version: '0', startedAt: 0, stop() {} };
  handleAdmin({ stats } as HostedProxy, deps, request.method!, url.pathname, url.searchParams, response);
});
test.before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
test.after(() => void server.close());

const get = async (path: string): Promise<{ status: number; type: string | null; body: string }> => {
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.text() };
};

test('a filter of stats that is no regular expression is refused with 400, in every format', async () => {
  for (const path of ['/stats?', '/stats?format=json&', '/stats?format=prometheus&', '/stats/prometheus?']) {
    const answer = await get(`${path}filter=${encodeURIComponent('(')}`);
    assert.is(answer.status, 400, path);
    assert.match(answer.type!, /^text\/plain/);
    assert.match(answer.body, /^Invalid re2 regex: missing closing \)/);
  }
});

test('filtered stats', async () => {
  assert.equal(await get('/stats?filter=%5Ehttp'), {
    status: 200,
    type: 'text/plain; charset=UTF-8',
    body: 'http.x.downstream_rq_total: 2\n',
  });
  assert.match((await get('/stats/prometheus?filter=%5Etcp')).body, /^# TYPE envoy_tcp/);
});

test.run();
