/** State-of-the-world xDS by the letter of Envoy's "xDS REST and gRPC protocol", played by a raw client. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { XdsServer } from '../../../agent/xds/server.ts';
import { snapshotOf, until, withXds } from './fixture.ts';
import { type RawStream, rawStream, type Seen } from './raw-client.ts';

const ack = (stream: RawStream, seen: Seen, resourceNames: readonly string[] = []): void =>
  stream.send(seen.kind as 'cluster', { versionInfo: seen.version, responseNonce: seen.nonce, resourceNames });
const nack = (stream: RawStream, seen: Seen, version: string, message: string, resourceNames: readonly string[] = []): void =>
  stream.send(seen.kind as 'cluster', {
    versionInfo: version,
    responseNonce: seen.nonce,
    errorDetail: { code: 3, message },
    resourceNames,
  });

/** Secrets wait for nothing, and what is due comes before the second: so two of them show that nothing was due. */
async function nothing(stream: RawStream, server: XdsServer): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const name = `marker-${Math.random()}`;
    server.setSecrets('node', [{ name }]);
    stream.send('secret', { resourceNames: [name], responseNonce: nonces.get(stream) ?? '' });
    const seen = await stream.next();
    assert.equal([seen.kind, seen.resources], ['secret', [name]], 'nothing else was due');
    nonces.set(stream, seen.nonce);
    ack(stream, seen, [name]);
  }
}
const nonces = new WeakMap<RawStream, string>();

test(
  'clusters come whole at each change; what is gone is left out',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({ clusters: { a: 1, b: 1 } }));
    const stream = rawStream(target, 'sotw');
    stream.send('cluster', {});
    const all = await stream.next();
    assert.equal(all.resources, ['a', 'b']);
    ack(stream, all);
    server.set(snapshotOf({ clusters: { a: 1, b: 2 } }));
    const changed = await stream.next();
    assert.equal(changed.resources, ['a', 'b']);
    assert.is.not(changed.version, all.version);
    ack(stream, changed);
    server.set(snapshotOf({ clusters: { b: 2 } }));
    const gone = await stream.next();
    assert.equal(gone.resources, ['b']);
    ack(stream, gone);
    await nothing(stream, server);
    server.set(snapshotOf({}));
    assert.equal((await stream.next()).resources, []);
    stream.close();
  }),
);

test(
  'endpoints come by name, and only those that changed or are asked for anew',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({ endpoints: { a: 1, b: 1, c: 1 } }));
    const stream = rawStream(target, 'sotw');
    stream.send('endpoint', { resourceNames: ['a'] });
    const first = await stream.next();
    assert.equal(first.resources, ['a']);
    ack(stream, first, ['a', 'b', 'nobody']);
    const second = await stream.next();
    assert.equal(second.resources, ['b']);
    ack(stream, second, ['a', 'b', 'nobody']);
    const moved = snapshotOf({ endpoints: { a: 1, b: 2, c: 2 } });
    server.setEndpoints('node', moved.version, moved.endpoints);
    const third = await stream.next();
    assert.equal(third.resources, ['b']);
    ack(stream, third, ['a', 'b', 'nobody']);
    server.set(snapshotOf({ endpoints: { a: 1, b: 2, nobody: 3 } }));
    const born = await stream.next();
    assert.equal(born.resources, ['nobody']);
    ack(stream, born, ['b']);
    server.set(snapshotOf({ endpoints: { a: 5, b: 2, nobody: 5 } }));
    await nothing(stream, server);
    stream.close();
  }),
);

test(
  'a request with a stale nonce is passed over',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({ endpoints: { a: 1, b: 1, c: 1 } }));
    const stream = rawStream(target, 'sotw');
    stream.send('endpoint', { resourceNames: ['a'] });
    const first = await stream.next();
    ack(stream, first, ['a']);
    server.set(snapshotOf({ endpoints: { a: 2, b: 1, c: 1 } }));
    const second = await stream.next();
    // The client asked for more before it saw the second response, and sees it now.
    stream.send('endpoint', { resourceNames: ['a', 'b'], versionInfo: first.version, responseNonce: first.nonce });
    await nothing(stream, server);
    const endpoints = () => server.clients()[0]?.types.find((t) => t.typeUrl.endsWith('ClusterLoadAssignment'));
    assert.is(endpoints()?.acked?.version, first.version);
    assert.is(endpoints()?.nack, undefined, 'the old version is no refusal of the new one');
    ack(stream, second, ['a', 'b']);
    assert.equal((await stream.next()).resources, ['b']);
    stream.close();
  }),
);

test(
  'the legacy wildcard ends with the first name, and no names mean nothing then',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({ clusters: { A: 1, B: 1 } }));
    const stream = rawStream(target, 'sotw');
    stream.send('cluster', {});
    ack(stream, await stream.next(), ['*', 'A']);
    const both = await stream.next();
    assert.equal([...both.resources].sort(), ['A', 'B'], 'the wildcard goes on');
    ack(stream, both, ['A']);
    server.set(snapshotOf({ clusters: { A: 1, B: 2 } }));
    await nothing(stream, server);
    server.set(snapshotOf({ clusters: { A: 2, B: 2 } }));
    const named = await stream.next();
    assert.equal(named.resources, ['A']);
    ack(stream, named, []);
    server.set(snapshotOf({ clusters: { A: 3, B: 3 } }));
    await nothing(stream, server);
    stream.close();
  }),
);

test(
  'a refusal keeps the last good version beside what changes',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({ clusters: { a: 1, b: 1 } }));
    const stream = rawStream(target, 'sotw');
    stream.send('cluster', {});
    const good = await stream.next();
    ack(stream, good);
    server.set(snapshotOf({ clusters: { a: 1, b: 2 } }));
    nack(stream, await stream.next(), good.version, 'Error adding/updating cluster(s) b: is wrong');
    await nothing(stream, server);
    server.set(snapshotOf({ clusters: { a: 2, b: 2, c: 1 } }));
    const next = await stream.next();
    assert.equal([...next.resources].sort(), ['a', 'b', 'c'], 'b in its last good version, or it would be deleted');
    ack(stream, next);
    const settled = await (async () => {
      stream.send('listener', {});
      ack(stream, await stream.next());
      return server.settled('node', 'x', 5000);
    })();
    assert.equal(settled.applied ? [] : settled.problems.map((p) => p.message), [
      'Envoy refuses cluster b: Error adding/updating cluster(s) b: is wrong',
    ]);
    stream.close();
  }),
);

test(
  'a client that comes back with the newest version gets nothing, with an older one everything',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({ clusters: { a: 1, b: 1 } }));
    const before = rawStream(target, 'sotw');
    before.send('cluster', {});
    const { version } = await before.next();
    before.close();
    const same = rawStream(target, 'sotw');
    same.send('cluster', { versionInfo: version });
    await nothing(same, server);
    server.set(snapshotOf({ clusters: { a: 2, b: 1 } }));
    assert.equal((await same.next()).resources, ['a', 'b']);
    same.close();
    const old = rawStream(target, 'sotw');
    old.send('cluster', { versionInfo: version });
    assert.equal((await old.next()).resources, ['a', 'b']);
    old.close();
  }),
);

test(
  'clusters that are gone stay until routes have left them',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({ clusters: { old: 1 }, routes: { r: 200 } }));
    const stream = rawStream(target, 'sotw');
    stream.send('cluster', {});
    ack(stream, await stream.next());
    stream.send('route', { resourceNames: ['r'] });
    ack(stream, await stream.next(), ['r']);
    server.set(snapshotOf({ clusters: { new: 1 }, routes: { r: 201 } }));
    const both = await stream.next();
    assert.equal([...both.resources].sort(), ['new', 'old']);
    ack(stream, both);
    const route = await stream.next();
    assert.is(route.kind, 'route');
    ack(stream, route, ['r']);
    assert.equal((await stream.next()).resources, ['new']);
    stream.close();
  }),
);

test(
  'streams of one type',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({ clusters: { a: 1 }, endpoints: { a: 1 } }));
    const clusters = rawStream(target, 'sotw', 'node', '/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters');
    clusters.send('cluster', { typeUrl: '' });
    assert.equal((await clusters.next()).resources, ['a']);
    clusters.close();
    const endpoints = rawStream(target, 'delta', 'node', '/envoy.service.endpoint.v3.EndpointDiscoveryService/DeltaEndpoints');
    endpoints.send('endpoint', { typeUrl: '', resourceNamesSubscribe: ['a'] });
    assert.equal((await endpoints.next()).resources, ['a']);
    endpoints.close();
  }),
);

test(
  'a client that does not say who it is, or asks for types without end, is told so',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({}));
    const nameless = rawStream(target, 'sotw', '');
    nameless.send('cluster', {});
    assert.equal([(await nameless.ended).code, (await nameless.ended).details], [3, 'the first request names no node']);
    const greedy = rawStream(target, 'sotw');
    for (let i = 0; i < 40; i++) greedy.send('other', { typeUrl: `type.googleapis.com/t${i}` });
    assert.match((await greedy.ended).details, /more than 32 types/);
    await until('it is gone', () => server.clients().length === 0);
  }),
);

test(
  'a client that does not read holds up nobody, and gets the newest state when it reads',
  withXds(async ({ server, target }) => {
    const many = (version: number) =>
      Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`cluster-${i}-${'x'.repeat(500)}`, version]));
    const first = snapshotOf({ clusters: many(1) });
    server.set(first);
    const slow = rawStream(target, 'sotw');
    slow.pause();
    slow.send('cluster', {});
    const quick = rawStream(target, 'sotw');
    quick.send('cluster', {});
    let version = '';
    for (let round = 2; round < 8; round++) {
      const seen = await quick.next();
      assert.is(seen.resources.length, 3000);
      ({ version } = seen);
      ack(quick, seen);
      server.set(snapshotOf({ clusters: many(round) }));
    }
    ({ version } = await quick.next());
    assert.is(slow.waiting.length, 0);
    slow.resume();
    const old = await slow.next();
    ack(slow, old);
    const newest = await slow.next();
    assert.is(newest.version, version, 'nothing in between was kept for it');
    slow.close();
    quick.close();
  }),
);

test.run();
