/** A node's engine and agents of pods: who gets what, what becomes of refusals, what travels, what outlives what. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import type { Problem } from '../../../src/errors.ts';
import { until } from '../../support/cluster-objects.ts';
import { withScratch } from '../../support/scratch.ts';
import { rawStream } from '../xds/raw-client.ts';
import { type NodeFixture, type PodFixture, podYaml, startNode, tokenOf } from './fixture.ts';

const service = (name: string, port = 9080): string => `---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 80, targetPort: ${port} }] }
`;
const slice = (name: string, ...addresses: string[]): string => `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, namespace: shop, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
ports: [{ name: http, port: 9080 }]
endpoints: [${addresses.map((a) => `{ addresses: [${a}], conditions: { ready: true } }`).join(', ')}]
`;
const policy = `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: only-web, namespace: shop }
spec: { selector: { matchLabels: { app: orders } }, rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/web] } }] }] }
`;
const external = (host: string): string => `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${host.replaceAll('.', '-')}, namespace: shop }
spec: { hosts: [${host}], ports: [{ number: 80, name: http, protocol: HTTP }], resolution: STATIC, endpoints: [{ address: 192.0.2.1 }] }
`;
const both = `${podYaml('web', '10.0.0.1')}---
${podYaml('orders', '10.0.0.2')}${service('orders')}${slice('orders', '10.0.0.2', '10.0.0.8')}`;

const secretOf = (name: string, text: string): SecretJson => ({ name, validationContext: { trustedCa: { inlineString: text } } });

const withNode = (yaml: string, run: (node: NodeFixture, folder: string) => Promise<void>, callers = {}) =>
  withScratch(async (folder) => {
    const node = await startNode(folder, yaml, callers);
    try {
      await run(node, folder);
    } finally {
      await node.close();
    }
  });
const proxyOf = (node: NodeFixture, name: string) => node.controller.proxies().find((p) => p.node.name === name);
const isTaken = (node: NodeFixture, name: string): boolean => {
  const sync = proxyOf(node, name);
  return sync?.applied !== undefined && sync.applied.version === sync.sent && !sync.refused;
};

/** Has a pod's engine refuse what `judge` finds problems in. Returns what ends it. */
function refuseWhen({ engine }: PodFixture, judge: (snapshot: Snapshot) => readonly Problem[]): () => void {
  const { apply } = engine;
  engine.apply = async (snapshot) => {
    const problems = judge(snapshot);
    return problems.length > 0 ? { applied: false, version: snapshot.version, problems } : apply(snapshot);
  };
  return () => {
    engine.apply = apply;
  };
}

test(
  'each pod gets its own configuration, its secrets before it, and the node knows when it is taken',
  withNode(both, async (node) => {
    await node.secrets([secretOf('ROOTCA', 'roots')]);
    const [web, orders] = await Promise.all([node.pod('web'), node.pod('orders')]);
    await until('both have taken it', () => isTaken(node, 'web') && isTaken(node, 'orders'));
    assert.equal(
      web.controller.proxies().map((p) => p.node.id),
      ['sidecar~10.0.0.1~web.shop~shop.svc.cluster.local'],
    );
    const snapshot = orders.controller.proxies()[0]?.snapshot;
    const source = proxyOf(node, 'orders')?.snapshot;
    for (const kind of ['clusters', 'listeners', 'routes', 'endpoints'] as const)
      assert.is(snapshot?.[kind].length, source?.[kind].length, kind);
    await node.secrets([secretOf('ROOTCA', 'new roots')]);
    assert.equal([...web.engine.secrets.values()].flat(), [secretOf('ROOTCA', 'new roots')]);
    const types = node.engine.sync(proxyOf(node, 'web')?.node.id ?? '') ?? [];
    assert.equal([...new Set(types.map(({ state }) => state))], ['SYNCED']);
  }),
);

test(
  'only what changed travels: endpoints as endpoints, and nothing to whom it is not about',
  withNode(both, async (node) => {
    const web = await node.pod('web');
    await until('it is taken', () => isTaken(node, 'web'));
    web.engine.calls.length = 0;
    await node.write(both.replace('[10.0.0.8]', '[10.0.0.9]'));
    await until('the change is taken', () => web.engine.calls.length > 0 && isTaken(node, 'web'));
    assert.equal(web.engine.calls, ['endpoints web.shop']);
    await node.write(`${both}${external('api.example.com')}`);
    await until('a cluster comes before the routes to it', () => web.engine.calls.length > 1 && isTaken(node, 'web'));
    const clusters = web.controller.proxies()[0]?.snapshot?.clusters.map((c) => c.name) ?? [];
    assert.ok(clusters.some((name) => name?.includes('api.example.com')));
    await node.write(both);
    await until('it is gone', () => !web.controller.proxies()[0]?.snapshot?.clusters.some((c) => c.name?.includes('api.example.com')));
  }),
);

test(
  'a refusal is told with its rule and object; the rest is taken, and the refused is tried again until it goes',
  withNode(both, async (node) => {
    const web = await node.pod('web');
    await until('it is taken', () => isTaken(node, 'web'));
    const heal = refuseWhen(web, (snapshot) => {
      const has = snapshot.listeners.some(({ name }) => name === '127.0.0.1_15081');
      return has
        ? [{ severity: 'error', rule: 'listener/port-in-use', message: '127.0.0.1:15081 is in use', origin: 'listener 127.0.0.1_15081' }]
        : [];
    });
    await node.write(`${both.replace('http-proxy-port: "15080"', 'http-proxy-port: "15081"')}${external('other.example.com')}`);
    await until('the node knows', () => proxyOf(node, 'web')?.refused !== undefined);
    const [problem] = proxyOf(node, 'web')?.refused?.problems ?? [];
    assert.is(problem?.rule, 'listener/port-in-use');
    assert.match(problem?.message ?? '', /^proxy web\.shop: the proxy refuses listener 127\.0\.0\.1_15081: 127\.0\.0\.1:15081 is in use$/);
    assert.match(JSON.stringify(problem), /Pod shop\/web/);
    assert.is(proxyOf(node, 'web')?.applied !== undefined, true, 'the last good one runs on');
    assert.is(node.engine.sync(proxyOf(node, 'web')?.node.id ?? '')?.find(({ type }) => type === 'LDS')?.state, 'NACK');
    assert.ok(web.events.some(({ type }) => type === 'proxy-refused'));
    const ran = web.controller.proxies()[0]?.snapshot?.clusters.map(({ name }) => name) ?? [];
    assert.ok(
      ran.some((name) => name?.includes('other.example.com')),
      'the clusters that came with it are taken',
    );
    heal();
    await node.controller.retry();
    await until('it is taken in the end', () => isTaken(node, 'web'));
    assert.is(web.controller.proxies()[0]?.refused, undefined);
  }),
);

test(
  'what was refused and is not wanted any more is forgotten on both sides',
  withNode(both, async (node) => {
    const web = await node.pod('web');
    await until('it is taken', () => isTaken(node, 'web'));
    const bad = 'outbound|80||bad.example.com';
    refuseWhen(web, ({ clusters }) =>
      clusters.some(({ name }) => name === bad)
        ? [{ severity: 'error', rule: 'engine/refused', message: 'no', origin: `cluster ${bad}` }]
        : [],
    );
    await node.write(`${both}${external('bad.example.com')}`);
    await until('the pod knows', () => web.controller.proxies()[0]?.refused !== undefined);
    await until('the node knows', () => proxyOf(node, 'web')?.refused !== undefined);
    await node.write(both);
    await until('the node has forgotten it', () => isTaken(node, 'web'));
    await until('the pod has forgotten it', () => web.controller.proxies()[0]?.refused === undefined);
  }),
);

test(
  'a pod that does not answer holds nobody up',
  withNode(both, async (node) => {
    const [web, orders] = await Promise.all([node.pod('web'), node.pod('orders')]);
    await until('both have taken it', () => isTaken(node, 'web') && isTaken(node, 'orders'));
    const gate = Promise.withResolvers<void>();
    orders.engine.gate = gate.promise;
    for (const host of ['a.example.com', 'b.example.com', 'c.example.com']) {
      await node.write(`${both}${external(host)}`);
      await until(`web has taken ${host}`, () => isTaken(node, 'web'));
    }
    assert.not.ok(isTaken(node, 'orders'));
    const slow = node.engine.sync(proxyOf(node, 'orders')?.node.id ?? '') ?? [];
    assert.ok(
      slow.some(({ state }) => state === 'STALE'),
      JSON.stringify(slow),
    );
    assert.is(web.engine.mostAtOnce, 1);
    gate.resolve();
    await until('it has caught up', () => isTaken(node, 'orders'));
  }),
);

test(
  'no pod gets what is another’s, whatever it calls itself; strangers cost no question',
  withNode(
    both,
    async (node) => {
      await node.pod('web');
      const said = async (name: string, token: string | undefined): Promise<string> => {
        const stream = rawStream(`unix:${node.socket}`, 'delta', name, undefined, undefined, token);
        stream.send('cluster', {});
        return (await stream.ended).details;
      };
      const others = await said('sidecar~10.0.0.2~orders.shop~shop.svc.cluster.local', tokenOf('web'));
      assert.match(others, /the pod shop\/web may have the configuration of its own proxy .*not that of sidecar~10\.0\.0\.2~orders/);
      const before = node.asked.length;
      assert.match(await said('x', undefined), /the call shows no token/);
      assert.match(await said('x', tokenOf('web', 'kubernetes')), /it is not meant for fairlead-agent/);
      assert.match(await said('x', 'nonsense'), /it is no JSON Web Token/);
      assert.is(node.asked.length, before, 'nobody was asked');
      for (let i = 0; i < 5; i++) await said('sidecar~10.0.0.2~orders.shop~shop.svc.cluster.local', tokenOf('stranger'));
      assert.match(await said('x', tokenOf('far')), /the pod shop\/far runs on the node node-2, and this is the agent of node-1/);
      assert.is(statSync(node.socket).mode & 0o777, 0o666);
    },
    { far: { node: 'node-2' }, stranger: { pod: 'web', uid: 'uid-web' } },
  ),
);

test(
  'a pod that is gone, or another of its name, gets nothing any more',
  withNode(both, async (node) => {
    const web = await node.pod('web');
    await until('it is taken', () => isTaken(node, 'web'));
    await node.write(both.replace('uid: uid-web', 'uid: uid-another'));
    await until('its stream has ended', () => /the pod shop\/web is gone/.test(web.log.join('')));
    assert.is(
      node.controller.proxies().find((p) => p.node.name === 'web'),
      undefined,
    );
    assert.ok(web.engine.runs.size === 1, 'what it had runs on');
  }),
);

test(
  'what a pod had outlives its agent, secrets in a file of their own, and is not sent again',
  withNode(both, async (node, folder) => {
    await node.secrets([secretOf('ROOTCA', 'a secret text')]);
    const first = await node.pod('web');
    await until('it is taken', () => isTaken(node, 'web'));
    const version = first.controller.proxies()[0]?.applied?.version;
    first.close();
    const data = join(folder, 'web', 'data');
    for (const file of ['pod-config.json', 'pod-secrets.json']) assert.is(statSync(join(data, file)).mode & 0o777, 0o600);
    assert.not.match(readFileSync(join(data, 'pod-config.json'), 'utf8'), /a secret text/);
    await node.engine.stop();
    const again = await node.pod('web');
    assert.equal([...again.engine.runs.values()], [version]);
    assert.equal([...again.engine.secrets.values()].flat(), [secretOf('ROOTCA', 'a secret text')]);
    assert.is(again.controller.config().state, 'accepted');
    await until('it says that it is alone', () => again.controller.config().problems[0]?.rule === 'node-agent/away');
    again.close();
    writeFileSync(join(data, 'pod-config.json'), '{"version":');
    const damaged = await node.pod('web');
    assert.is(damaged.controller.config().state, 'loading');
    assert.is(damaged.engine.runs.size, 0);
  }),
);

test(
  'the agent of a pod knows its policies by name, and its files are its own',
  withScratch(async (folder) => {
    mkdirSync(join(folder, 'files'));
    const node = await startNode(folder, `${both}${policy}`);
    try {
      const orders = await node.pod('orders');
      await until('it is taken', () => isTaken(node, 'orders'));
      const mesh = orders.controller.mesh();
      assert.equal(
        mesh?.ofKind('AuthorizationPolicy').map(({ metadata }) => metadata.name),
        ['only-web'],
      );
      assert.equal(
        mesh?.services.map(({ host }) => host),
        ['orders.shop.svc.cluster.local'],
      );
      const web = await node.pod('web');
      assert.equal(web.controller.mesh()?.ofKind('AuthorizationPolicy'), []);
    } finally {
      await node.close();
    }
  }),
);

test.run();
