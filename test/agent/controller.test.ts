/** The controller, with an engine that remembers: what it applies, and what it does when something is refused. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Controller, type ControllerEvent, createController } from '../../agent/controller.ts';
import { createFakeEngine, type FakeEngine } from '../support/fake-engine.ts';
import { service, workload } from '../support/mesh.ts';
import { withScratch } from '../support/scratch.ts';

interface Bench {
  engine: FakeEngine;
  controller: Controller;
  events: ControllerEvent[];
  folder: string;
  write(name: string, text: string): string;
  /** Calls to the engine since the last time it was asked. */
  calls(): string[];
}

const route = (prefix: string, field = 'prefix'): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a }
spec:
  hosts: [a]
  http:
  - match: [{ uri: { ${field}: ${prefix} } }]
    route: [{ destination: { host: a } }]
`;

const withBench = (run: (bench: Bench) => Promise<void>, allowUnenforced = false) =>
  withScratch(async (folder, write) => {
    write('a.yaml', `${service('a')}${workload('a', { app: 'a' }, 8001)}`);
    write('routes.yaml', route('/one'));
    const engine = createFakeEngine();
    const events: ControllerEvent[] = [];
    const controller = createController({
      paths: [folder],
      namespace: 'default',
      meshConfig: undefined,
      addresses: { list: ['127.0.0.1'], nodeName: 'here' },
      allowUnenforced,
      engine,
      notify: (event) => events.push(structuredClone({ ...event, proxy: undefined }) as ControllerEvent),
    });
    await controller.sync();
    await run({ engine, controller, events, folder, write, calls: () => engine.calls.splice(0) });
  });

const refusal = [{ severity: 'error' as const, rule: 'test/refused', message: 'no', origin: 'listener 127.0.0.1_15001' }];

test(
  'applies each proxy once, and says so',
  withBench(async ({ controller, calls, events }) => {
    assert.equal(calls(), ['apply a.default']);
    assert.is(controller.config().state, 'accepted');
    assert.equal(
      events.map((e) => e.type),
      ['accepted'],
    );
    await controller.sync();
    assert.equal(calls(), []);
  }),
);

test(
  'a broken file changes nothing that runs, and is told with its line; the repaired one applies',
  withBench(async ({ controller, calls, write, engine }) => {
    calls();
    const [before] = engine.runs.values();
    write('routes.yaml', route('/two', 'prefx'));
    await controller.sync();
    assert.is(controller.config().state, 'refused');
    assert.is(controller.config().problems[0]?.position?.line, 7);
    assert.equal(calls(), []);
    assert.equal([...engine.runs.values()], [before]);
    write('routes.yaml', route('/two'));
    await controller.sync();
    assert.is(controller.config().state, 'accepted');
    assert.equal(calls(), ['apply a.default']);
    assert.is.not([...engine.runs.values()][0], before);
  }),
);

test(
  'a folder that is gone is a refusal, not the end of the mesh',
  withBench(async ({ controller, folder, engine }) => {
    rmSync(folder, { recursive: true });
    await controller.sync();
    assert.is(controller.config().state, 'refused');
    assert.match(controller.config().problems[0]?.message ?? '', /no such file/);
    assert.is(engine.runs.size, 1);
  }),
);

test(
  'when only endpoints change, only endpoints are sent',
  withBench(async ({ controller, calls, write }) => {
    const slice = (address: string): string => `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: far, labels: { kubernetes.io/service-name: far } }
addressType: IPv4
ports: [{ name: http, port: 8080 }]
endpoints: [{ addresses: [${address}] }]
---
apiVersion: v1
kind: Service
metadata: { name: far }
spec: { ports: [{ name: http, port: 80 }] }
`;
    write('far.yaml', slice('192.0.2.7'));
    await controller.sync();
    calls();
    write('far.yaml', slice('192.0.2.8'));
    await controller.sync();
    assert.equal(calls(), ['endpoints a.default']);
  }),
);

test(
  'a workload that is gone takes its proxy with it; a new one brings one',
  withBench(async ({ controller, calls, write, folder }) => {
    write('b.yaml', workload('b', { app: 'b' }, 8002));
    await controller.sync();
    assert.ok(calls().includes('apply b.default'));
    rmSync(join(folder, 'b.yaml'));
    await controller.sync();
    assert.ok(calls().includes('remove b.default'));
    assert.equal(
      controller.proxies().map((p) => p.node.name),
      ['a'],
    );
  }),
);

test(
  'proxies that an earlier agent left and nobody wants any more are removed',
  withBench(async ({ controller, calls, engine }) => {
    calls();
    engine.setLeftovers(['sidecar~127.0.0.1~gone.default~default.svc.cluster.local']);
    await controller.sync();
    assert.equal(calls(), ['remove sidecar~127.0.0.1~gone.default~default.svc.cluster.local']);
  }),
);

test(
  'what the engine refuses is named with the line that asked for the port, and tried again until it is taken; the last good one runs',
  withBench(async ({ controller, calls, write, engine, events }) => {
    const [good] = engine.runs.values();
    engine.refuse = () => refusal;
    write('routes.yaml', route('/two'));
    await controller.sync();
    const [proxy] = controller.proxies();
    assert.is(proxy?.applied?.version, good);
    assert.is(proxy?.refused?.problems[0]?.origin, 'WorkloadEntry default/a');
    assert.ok(proxy?.refused?.problems[0]?.position?.file.endsWith('a.yaml'));
    calls();
    events.length = 0;
    await controller.retry();
    assert.equal(calls(), ['apply a.default']);
    assert.equal(events, [], 'the same refusal is no news');
    engine.refuse = () => undefined;
    await controller.retry();
    assert.is(controller.proxies()[0]?.refused, undefined);
    assert.equal(
      events.map((e) => e.type),
      ['accepted'],
    );
    calls();
    await controller.retry();
    assert.equal(calls(), []);
  }),
);

test(
  'an engine that is away is no end: the config is applied when it is back',
  withBench(async ({ controller, write, engine }) => {
    engine.away = true;
    write('routes.yaml', route('/two'));
    write('b.yaml', workload('b', { app: 'b' }, 8002));
    await controller.sync();
    assert.is(controller.config().state, 'accepted');
    engine.away = false;
    await controller.retry();
    assert.equal(
      controller.proxies().map((p) => [p.node.name, p.applied !== undefined, p.refused]),
      [
        ['a', true, undefined],
        ['b', true, undefined],
      ],
    );
  }),
);

test(
  'a config that a restarted engine does not take any more is not shown as running',
  withBench(async ({ controller, engine, calls }) => {
    const id = controller.proxies()[0]?.node.id as string;
    engine.sayRefused(id, refusal);
    assert.is(controller.proxies()[0]?.applied, undefined);
    assert.is(controller.proxies()[0]?.refused?.problems.length, 1);
    calls();
    await controller.retry();
    assert.equal(calls(), ['apply a.default']);
    assert.ok(controller.proxies()[0]?.applied);
  }),
);

test(
  'a port that moves from one proxy to another is free by the second try',
  withBench(async ({ controller, engine, write }) => {
    let tries = 0;
    engine.refuse = (name) => (name === 'a.default' && tries++ === 0 ? [{ ...refusal[0]!, rule: 'listener/port-in-use' }] : undefined);
    write('routes.yaml', route('/two'));
    write('b.yaml', workload('b', { app: 'b' }, 8002));
    await controller.sync();
    assert.equal(
      controller.proxies().map((p) => p.refused),
      [undefined, undefined],
    );
  }),
);

test(
  'syncs that come while one runs are folded into one more, one at a time',
  withBench(async ({ controller, engine, write, events }) => {
    events.length = 0;
    const gate = Promise.withResolvers<void>();
    engine.gate = gate.promise;
    write('routes.yaml', route('/two'));
    const all = [controller.sync(), controller.sync(), controller.retry(), controller.sync()];
    write('routes.yaml', route('/three'));
    gate.resolve();
    await Promise.all(all);
    assert.is(engine.mostAtOnce, 1);
    assert.ok(events.length <= 2, `${events.length} runs`);
    await controller.sync();
    assert.is(engine.runs.get(controller.proxies()[0]!.node.id), controller.proxies()[0]?.snapshot?.version);
  }),
);

const policy = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: deny }
spec: {}
`;

test(
  'a policy that cannot be enforced refuses the configuration',
  withBench(async ({ controller, write }) => {
    write('policy.yaml', policy);
    await controller.sync();
    assert.is(controller.config().state, 'refused');
    assert.match(controller.config().problems[0]?.rule ?? '', /^unsupported\//);
  }),
);

test(
  'unless it was asked for, and then it is said each time',
  withBench(async ({ controller, write }) => {
    write('policy.yaml', policy);
    await controller.sync();
    assert.is(controller.config().state, 'accepted');
    assert.match(controller.config().problems[0]?.rule ?? '', /^unsupported\//);
  }, true),
);

test.run();
