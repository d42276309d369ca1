/** The agent's API over real sockets: who is let in, what is answered, what is refused. */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ApiServer, startApi } from '../../../agent/api/server.ts';
import { agentClient } from '../../../agent/client.ts';
import { type Controller, createController } from '../../../agent/controller.ts';
import { createEventHub, type EventHub } from '../../../agent/events.ts';
import { type AgentStatus, statusOf } from '../../../agent/status.ts';
import type { FairleadError } from '../../../src/errors.ts';
import { fairlead } from '../../support/cli.ts';
import { createFakeEngine, type FakeEngine } from '../../support/fake-engine.ts';
import { until } from '../../support/http.ts';
import { service, workload } from '../../support/mesh.ts';
import { withScratch } from '../../support/scratch.ts';

const noIdentity = (): AgentStatus['identity'] => ({ ca: 'no CA', trust: undefined, certificates: [], problems: [] });

interface Said {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

interface Bench {
  api: ApiServer;
  engine: FakeEngine;
  controller: Controller;
  events: EventHub;
  stops: number[];
  folder: string;
  say(method: string, path: string, headers?: Record<string, string>, body?: string): Promise<Said>;
}

const withApi = (run: (bench: Bench) => Promise<void>) =>
  withScratch(async (folder, write) => {
    write('mesh/a.yaml', `${service('a')}${workload('a', { app: 'a' }, 8001)}${workload('b', { app: 'b' }, 8002)}`);
    const engine = createFakeEngine();
    const events = createEventHub();
    const controller = createController({
      paths: [join(folder, 'mesh')],
      namespace: 'default',
      meshConfig: undefined,
      addresses: { list: [], nodeName: 'here' },
      allowUnenforced: false,
      engine,
      notify: (event) => events.publish({ type: 'config', event }),
    });
    await controller.sync();
    const stops: number[] = [];
    const api = await startApi({
      socket: join(folder, 'agent.sock'),
      port: 0,
      engine,
      controller,
      events,
      status: (): AgentStatus => statusOf({ controller, engine, identity: { status: noIdentity }, version: 'test', chosen: 'asked for' }),
      stop: async (ms) => void stops.push(ms),
    });
    const port = Number(new URL(api.url as string).port);
    const say: Bench['say'] = (method, path, headers = {}, body) =>
      new Promise((resolve, reject) => {
        const req = request({ host: '127.0.0.1', port, method, path, agent: false, headers: { host: `localhost:${port}`, ...headers } });
        req.on('error', reject);
        req.on('response', (res) => {
          let text = '';
          res.setEncoding('utf8').on('data', (d) => (text += d));
          res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }));
        });
        req.end(body);
      });
    try {
      await run({ api, engine, controller, events, stops, folder, say });
    } finally {
      await api.unlisten();
      api.disconnect();
    }
  });

test(
  'answers to localhost by any of its names, to no other name (DNS rebinding) and to no page',
  withApi(async ({ say }) => {
    for (const host of ['localhost', 'LOCALHOST:15000', '127.0.0.1:1', '[::1]:80'])
      assert.is((await say('GET', '/fairlead/v1/status', { host })).status, 200, host);
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:15000', '192.0.2.1'])
      assert.is((await say('GET', '/fairlead/v1/status', { host })).status, 403, host);
    assert.is((await say('POST', '/fairlead/v1/stop', { origin: 'http://localhost:3000' })).status, 403);
    assert.is((await say('POST', '/fairlead/v1/stop', { origin: 'null' })).status, 403);
    assert.is((await say('GET', '/clusters', { 'sec-fetch-site': 'cross-site' })).status, 403);
    assert.is((await say('GET', '/proxies/a/clusters', { 'sec-fetch-site': 'none' })).status, 200);
  }),
);

test(
  'a page that sends and leaves at once does not get in either',
  withApi(async ({ api, stops, say }) => {
    const socket = connect(Number(new URL(api.url as string).port), '127.0.0.1');
    socket.write('POST /fairlead/v1/stop HTTP/1.1\r\nhost: localhost\r\norigin: http://evil.example\r\ncontent-length: 0\r\n\r\n');
    await new Promise<void>((r) => socket.once('connect', r));
    socket.resetAndDestroy();
    assert.is((await say('GET', '/fairlead/v1/status')).status, 200);
    assert.equal(stops, []);
  }),
);

test(
  'the Unix socket is for its owner, whatever the host',
  withApi(async ({ api }) => {
    assert.is(statSync(api.socket).mode & 0o777, 0o600);
    const status = await agentClient(`unix:${api.socket}`).getJson<AgentStatus>('/fairlead/v1/status');
    assert.equal(
      status.proxies.map((p) => [p.name, p.sync]),
      [
        ['a.default', 'SYNCED'],
        ['b.default', 'SYNCED'],
      ],
    );
  }),
);

test(
  'methods and paths',
  withApi(async ({ say, stops }) => {
    const wrong = await say('GET', '/fairlead/v1/stop');
    assert.is(wrong.status, 405);
    assert.is(wrong.headers['allow'], 'POST');
    assert.is((await say('POST', '/fairlead/v1/status')).status, 405);
    assert.is((await say('HEAD', '/fairlead/v1/status')).status, 200);
    const unknown = await say('GET', '/fairlead/v1/nothing');
    assert.is(unknown.status, 404);
    assert.match(JSON.parse(unknown.text).error.message, /\/fairlead\/v1\/status/);
    for (const path of ['/fairlead', '/fairlead/v2/status', '/fairlead/v1/__proto__', '/fairlead/v1/constructor'])
      assert.is((await say('GET', path)).status, 404, path);
    assert.is((await say('GET', '//')).status, 400);
    assert.is((await say('GET', '/proxies/%/clusters')).status, 400);
    assert.equal(stops, []);
  }),
);

test(
  'Envoy’s paths go to the proxy that is named; unknown ones name those there are',
  withApi(async ({ say, engine, api }) => {
    assert.is((await say('GET', '/proxies/b.default/clusters?format=json')).text, 'GET /clusters?format=json of b.default\n');
    assert.is((await say('GET', '/proxies/b/stats')).text, 'GET /stats of b.default\n');
    const unknown = await say('GET', '/proxies/c/clusters');
    assert.is(unknown.status, 404);
    assert.equal(JSON.parse(unknown.text).error.known, ['a.default', 'b.default']);
    try {
      await agentClient(`unix:${api.socket}`).get('/proxies/c/clusters');
      assert.unreachable();
    } catch (error) {
      assert.is((error as FairleadError).code, 'E_PROXY_UNKNOWN');
      assert.match((error as FairleadError).next ?? '', /a\.default, b\.default/);
    }
    engine.away = true;
    assert.is((await say('GET', '/proxies/a/clusters')).status, 503);
  }),
);

test(
  'without a name, Envoy’s paths go to the only proxy; of several none is guessed',
  withApi(async ({ say, engine, api, controller, folder }) => {
    const several = await say('GET', '/config_dump?include_eds');
    assert.is(several.status, 400);
    assert.equal(JSON.parse(several.text).error, {
      code: 'E_PROXY_UNKNOWN',
      message: 'several proxies run on this node: name one, as in /proxies/a.default/config_dump',
      known: ['a.default', 'b.default'],
    });
    assert.is((await say('POST', '/reset_counters')).status, 400);
    assert.not.ok(engine.calls.some((call) => call.startsWith('admin')));
    const live = await fairlead(['proxy-config', 'route', '--agent', `unix:${api.socket}`]);
    assert.is(live.code, 2, live.err);
    assert.match(live.err, /several proxies[\s\S]*a\.default, b\.default/);

    writeFileSync(join(folder, 'mesh', 'a.yaml'), `${service('a')}${workload('a', { app: 'a' }, 8001)}`);
    await controller.sync();
    assert.is((await say('POST', '/reset_counters')).text, 'POST /reset_counters of a.default\n');

    writeFileSync(
      join(folder, 'mesh', 'a.yaml'),
      `${workload('a', {}, 8001)}${workload('a', {}, 8002).replace('{"name"', '{"namespace":"other","name"')}`,
    );
    await controller.sync();
    const ambiguous = await say('GET', '/proxies/a/clusters');
    assert.is(ambiguous.status, 400);
    assert.equal(JSON.parse(ambiguous.text).error.known, ['a.default', 'a.other']);
  }),
);

test(
  'proxies whose first config is on the way are listed as starting, all of them',
  withApi(async ({ api, engine, controller, folder }) => {
    const gate = Promise.withResolvers<void>();
    engine.gate = gate.promise;
    writeFileSync(join(folder, 'mesh', 'b.yaml'), `${workload('c', { app: 'c' }, 8003)}${workload('d', { app: 'd' }, 8004)}`);
    const synced = controller.sync();
    await until('the first of them is on the way', () => engine.calls.includes('apply c.default'));
    const ps = async (): Promise<[string, string | undefined][]> => {
      const { out } = await fairlead(['ps', '--agent', `unix:${api.socket}`]);
      const rows = out.trim().split('\n').slice(1);
      return rows.map((row) => row.split(/ {3,}/)).map((cells) => [cells[0] as string, cells[5]]);
    };
    assert.equal((await ps()).slice(2), [
      ['c.default', 'STARTING'],
      ['d.default', 'STARTING'],
    ]);
    gate.resolve();
    await synced;
    assert.equal((await ps()).slice(2), [
      ['c.default', 'SYNCED'],
      ['d.default', 'SYNCED'],
    ]);
  }),
);

test(
  'bodies: JSON, at most 64 KiB',
  withApi(async ({ say, engine, stops }) => {
    assert.is((await say('POST', '/fairlead/v1/drain', {}, '{"deadlineMs":5}')).status, 200);
    assert.ok(engine.calls.includes('drain 5'));
    assert.is((await say('POST', '/fairlead/v1/drain')).status, 200);
    assert.ok(engine.calls.includes('drain 30000'));
    for (const body of ['{', '{"deadlineMs":"5"}', '{"deadlineMs":-1}', '{"deadlineMs":1e99}'])
      assert.is((await say('POST', '/fairlead/v1/stop', {}, body)).status, 400, body);
    assert.is((await say('POST', '/fairlead/v1/stop', {}, JSON.stringify({ x: 'y'.repeat(70_000) }))).status, 413);
    assert.equal(stops, []);
    assert.is((await say('POST', '/fairlead/v1/stop', {}, '{"deadlineMs":7}')).status, 202);
    await until('it stops', () => stops.length === 1);
    assert.equal(stops, [7]);
  }),
);

test(
  'quitquitquit ends the agent: a data plane alone would come back',
  withApi(async ({ say, stops, engine }) => {
    assert.is((await say('GET', '/proxies/a/quitquitquit')).text, 'GET /quitquitquit of a.default\n');
    assert.is((await say('POST', '/quitquitquit')).text, 'OK\n');
    await until('it stops', () => stops.length === 1);
    assert.not.ok(engine.calls.includes('stop'));
  }),
);

test(
  'events come as lines, requests when asked for, until the reader leaves',
  withApi(async ({ api, engine, controller }) => {
    const all: Record<string, unknown>[] = [];
    const some: Record<string, unknown>[] = [];
    const client = agentClient(`unix:${api.socket}`);
    let open = 0;
    const follow = (path: string, into: Record<string, unknown>[]): (() => void) =>
      client.stream(path, { open: () => void open++, line: (l) => void into.push(l as Record<string, unknown>), ended: () => undefined });
    const ends = [follow('/fairlead/v1/events', all), follow('/fairlead/v1/events?records=false', some)];
    await until('both are attached', () => open === 2);
    engine.record({ path: '/x' } as never);
    await controller.sync();
    await until('the change is told', () => some.length === 1 && all.length === 2);
    assert.equal(all[0], { request: { path: '/x' } });
    assert.is((some[0]?.['config'] as { type: string } | undefined)?.type, 'accepted');
    for (const end of ends) end();
    const before = all.length;
    engine.record({ path: '/y' } as never);
    await client.get('/fairlead/v1/status');
    assert.is(all.length, before);
  }),
);

test(
  'a reader that does not read loses lines and is told how many',
  withApi(async ({ api, engine }) => {
    const socket = connect(api.socket);
    socket.write('GET /fairlead/v1/events HTTP/1.1\r\nhost: x\r\n\r\n');
    let text = '';
    await new Promise<void>((resolve) => {
      socket.once('data', (d) => {
        text += d;
        socket.pause();
        resolve();
      });
    });
    const filler = 'x'.repeat(10_000);
    for (let i = 0; i < 2000; i++) engine.record({ path: filler } as never);
    socket.on('data', (d) => (text += d));
    socket.resume();
    await until('what was kept has arrived', () => {
      engine.record({ path: '/last' } as never);
      return text.includes('"/last"');
    });
    const dropped = [...text.matchAll(/\{"dropped":(\d+)\}/g)].reduce((n, m) => n + Number(m[1]), 0);
    const kept = text.split(filler).length - 1;
    assert.ok(dropped > 0 && kept > 0, `${kept} kept, ${dropped} dropped`);
    assert.ok(kept < 1000, 'the backlog is bounded');
    socket.destroy();
  }),
);

test(
  'ports and sockets that are taken are named',
  withScratch(async (folder) => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((r) => other.once('listening', r));
    const { port } = other.address() as AddressInfo;
    const deps = {
      engine: createFakeEngine(),
      controller: {} as never,
      events: createEventHub(),
      status: undefined as never,
      stop: () => Promise.resolve(),
    };
    const socket = join(folder, 'agent.sock');
    try {
      await startApi({ ...deps, socket, port });
      assert.unreachable();
    } catch (error) {
      assert.is((error as FairleadError).code, 'E_PORT_IN_USE');
      assert.match((error as FairleadError).message, new RegExp(String(port)));
      assert.match((error as FairleadError).next ?? '', /--api-port/);
    }
    other.close();
    assert.not.ok(existsSync(socket));
    writeFileSync(socket, 'left behind');
    const first = await startApi({ ...deps, socket, port: undefined });
    try {
      await startApi({ ...deps, socket, port: undefined });
      assert.unreachable();
    } catch (error) {
      assert.is((error as FairleadError).code, 'E_AGENT_RUNNING');
    }
    await first.unlisten();
    first.disconnect();
    assert.not.ok(existsSync(socket));
  }),
);

test(
  'config tells where the configuration is read from',
  withApi(async ({ say, folder }) => {
    const { status, text } = await say('GET', '/fairlead/v1/config');
    assert.is(status, 200);
    const said = { paths: [join(folder, 'mesh')], namespace: 'default', directory: process.cwd(), engine: 'embedded', state: 'accepted' };
    assert.equal(JSON.parse(text), said);
    assert.is((await say('POST', '/fairlead/v1/config')).status, 405);
  }),
);

test.run();
