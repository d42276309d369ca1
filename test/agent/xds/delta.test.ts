/** Incremental xDS by the letter of Envoy's "xDS REST and gRPC protocol", played by a raw client. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { snapshotOf, until, withXds } from './fixture.ts';
import { type RawStream, rawStream, type Seen } from './raw-client.ts';

const ack = (stream: RawStream, { kind, nonce }: Seen): void => stream.send(kind as 'cluster', { responseNonce: nonce });
const nack = (stream: RawStream, { kind, nonce }: Seen, message: string): void =>
  stream.send(kind as 'cluster', { responseNonce: nonce, errorDetail: { code: 3, message } });

/** Answers of a type that nobody serves come at once, and what is due comes before the second: so two of them show that nothing was due. */
async function nothing(stream: RawStream): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const name = `marker-${Math.random()}`;
    stream.send('other', { resourceNamesSubscribe: [name] });
    const seen = await stream.next();
    assert.equal(seen.removed, [name], `nothing was due but ${JSON.stringify(seen)}`);
    stream.send('other', { responseNonce: seen.nonce });
  }
}

test(
  'the legacy wildcard gets everything, then only what changed and what is gone',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({ clusters: { a: 1, b: 1 } }));
    const stream = rawStream(target, 'delta');
    stream.send('cluster', {});
    const all = await stream.next();
    assert.equal([...all.resources].sort(), ['a', 'b']);
    ack(stream, all);
    server.set(snapshotOf({ clusters: { a: 2, b: 1 } }));
    const changed = await stream.next();
    assert.equal(changed.resources, ['a']);
    assert.equal(changed.removed, []);
    assert.is.not(changed.versions['a'], all.versions['a']);
    ack(stream, changed);
    server.set(snapshotOf({ clusters: { a: 2 } }));
    const gone = await stream.next();
    assert.equal([gone.resources, gone.removed], [[], ['b']]);
    ack(stream, gone);
    server.set(snapshotOf({ clusters: { a: 2 } }));
    await nothing(stream);
    stream.close();
  }),
);

test(
  'an empty wildcard is answered, so that the client need not wait',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({}));
    const stream = rawStream(target, 'delta');
    stream.send('listener', {});
    const seen = await stream.next();
    assert.equal([seen.kind, seen.resources, seen.removed], ['listener', [], []]);
    stream.close();
  }),
);

test(
  'a client that comes before its configuration gets it when it is there',
  withXds(async ({ server, target }) => {
    const stream = rawStream(target, 'delta', 'late');
    stream.send('cluster', {});
    await until('the server knows it', () => server.clients().some((c) => c.node === 'late' && c.types.length === 1));
    server.set(snapshotOf({ clusters: { a: 1 } }, 'other'));
    server.set(snapshotOf({ clusters: { mine: 1 } }, 'late'));
    assert.equal((await stream.next()).resources, ['mine']);
    stream.close();
  }),
);

test(
  'names: unknown ones are told to be absent and come when they exist; what is asked for again is sent again',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({ endpoints: { a: 1 } }));
    const stream = rawStream(target, 'delta');
    stream.send('endpoint', { resourceNamesSubscribe: ['a', 'nobody'] });
    const first = await stream.next();
    assert.equal([first.resources, first.removed], [['a'], ['nobody']]);
    ack(stream, first);
    stream.send('endpoint', { resourceNamesSubscribe: ['a'] });
    const again = await stream.next();
    assert.equal(again.resources, ['a']);
    ack(stream, again);
    server.set(snapshotOf({ endpoints: { a: 1, nobody: 2, unasked: 3 } }));
    const born = await stream.next();
    assert.equal(born.resources, ['nobody']);
    ack(stream, born);
    stream.send('endpoint', { resourceNamesUnsubscribe: ['a', 'never-asked-for'] });
    server.set(snapshotOf({ endpoints: { a: 9, nobody: 2 } }));
    await nothing(stream);
    stream.close();
  }),
);

test(
  'wildcard and names: each ends by itself, and a name that is left is told of',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({ clusters: { a: 1, b: 1 } }));
    const stream = rawStream(target, 'delta');
    stream.send('cluster', {});
    ack(stream, await stream.next());
    stream.send('cluster', { resourceNamesSubscribe: ['a', 'x'] });
    const named = await stream.next();
    assert.equal([named.resources, named.removed], [['a'], ['x']]);
    ack(stream, named);
    stream.send('cluster', { resourceNamesUnsubscribe: ['a', 'x'] });
    const left = await stream.next();
    assert.equal([left.resources, left.removed], [['a'], ['x']], 'part of the wildcard or not');
    ack(stream, left);
    stream.send('cluster', { resourceNamesSubscribe: ['b'], resourceNamesUnsubscribe: ['*'] });
    ack(stream, await stream.next());
    server.set(snapshotOf({ clusters: { a: 2, b: 2, c: 2 } }));
    const only = await stream.next();
    assert.equal(only.resources, ['b']);
    ack(stream, only);
    stream.send('cluster', { resourceNamesUnsubscribe: ['b'] });
    server.set(snapshotOf({ clusters: { a: 3, b: 3 } }));
    await nothing(stream);
    stream.send('cluster', { resourceNamesSubscribe: ['*'] });
    assert.equal([...(await stream.next()).resources].sort(), ['a', 'b'], 'the explicit wildcard');
    stream.close();
  }),
);

test(
  'a client that comes back with what it has gets what differs',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({ clusters: { a: 1, b: 1, c: 1 }, endpoints: { a: 1, b: 1 } }));
    const before = rawStream(target, 'delta');
    before.send('cluster', {});
    const { versions } = await before.next();
    before.send('endpoint', { resourceNamesSubscribe: ['a', 'b'] });
    const endpoints = await before.next();
    before.close();
    server.set(snapshotOf({ clusters: { a: 1, b: 2, d: 1 }, endpoints: { a: 1, b: 2 } }));
    const after = rawStream(target, 'delta');
    after.send('cluster', { initialResourceVersions: versions });
    const seen = await after.next();
    assert.equal([...seen.resources].sort(), ['b', 'd']);
    ack(after, seen);
    const gone = await after.next();
    assert.equal(gone.removed, ['c']);
    ack(after, gone);
    after.send('endpoint', { resourceNamesSubscribe: ['a', 'b'], initialResourceVersions: endpoints.versions });
    assert.equal((await after.next()).resources, ['b']);
    after.close();
    const same = rawStream(target, 'delta');
    const now = { a: seen.versions['a'] ?? versions['a']!, b: seen.versions['b']!, d: seen.versions['d']! };
    same.send('cluster', { initialResourceVersions: now });
    await nothing(same);
    same.close();
  }),
);

test(
  'a refused resource is not sent again until it changes, and the rest goes on',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({ clusters: { a: 1, b: 1 }, routes: { r: 200 } }));
    const stream = rawStream(target, 'delta');
    stream.send('cluster', {});
    ack(stream, await stream.next());
    stream.send('route', { resourceNamesSubscribe: ['r'] });
    ack(stream, await stream.next());
    const bad = snapshotOf({ clusters: { a: 2, b: 1 }, routes: { r: 201 } });
    server.set(bad);
    nack(stream, await stream.next(), 'a is wrong');
    const route = await stream.next();
    assert.equal([route.kind, route.resources], ['route', ['r']]);
    ack(stream, route);
    server.set(snapshotOf({ clusters: { a: 2, b: 3 }, routes: { r: 201 } }));
    const rest = await stream.next();
    assert.equal(rest.resources, ['b'], 'a is as it was refused');
    ack(stream, rest);
    const [client] = server.clients();
    assert.match(client?.types.find((t) => t.typeUrl.endsWith('Cluster'))?.nack?.reason ?? '', /a is wrong/);
    server.set(snapshotOf({ clusters: { a: 3, b: 3 }, routes: { r: 201 } }));
    assert.equal((await stream.next()).resources, ['a']);
    stream.close();
  }),
);

test(
  'where a refusal names nobody the culprits are found by halves',
  withXds(async ({ server, target }) => {
    const names = Array.from({ length: 20 }, (_, i) => `e${i}`);
    server.set(snapshotOf({ endpoints: Object.fromEntries(names.map((n) => [n, 1])) }));
    const stream = rawStream(target, 'delta');
    const culprits = new Set(['e3', 'e11', 'e12']);
    const taken = new Set<string>();
    let refusals = 0;
    stream.send('endpoint', { resourceNamesSubscribe: names });
    while (taken.size < names.length - culprits.size || refusals === 0) {
      const seen = await stream.next();
      if (seen.resources.some((n) => culprits.has(n))) {
        refusals++;
        nack(stream, seen, 'something is wrong');
      } else {
        for (const name of seen.resources) taken.add(name);
        ack(stream, seen);
      }
      assert.ok(refusals < 20, 'it ends');
    }
    // The last of the search may still be on its way.
    for (;;) {
      stream.send('other', { resourceNamesSubscribe: ['end'] });
      const seen = await stream.next();
      if (seen.removed.includes('end')) break;
      if (seen.resources.some((n) => culprits.has(n))) nack(stream, seen, 'something is wrong');
      else ack(stream, seen);
    }
    assert.is(taken.size, 17);
    stream.close();
  }),
);

test(
  'a stale nonce answers nothing, but changes of the subscription count',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({ endpoints: { a: 1, b: 1 } }));
    const stream = rawStream(target, 'delta');
    stream.send('endpoint', { resourceNamesSubscribe: ['a'] });
    const first = await stream.next();
    stream.send('endpoint', { responseNonce: 'never-sent', resourceNamesSubscribe: ['b'] });
    await nothing(stream);
    ack(stream, first);
    assert.equal((await stream.next()).resources, ['b']);
    stream.close();
  }),
);

test(
  'make before break: clusters and endpoints come before routes, and clusters go when routes have left them',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({ clusters: { old: 1 }, endpoints: { old: 1 }, listeners: { l: 1 }, routes: { r: 200 } }));
    const stream = rawStream(target, 'delta');
    stream.send('cluster', {});
    ack(stream, await stream.next());
    stream.send('endpoint', { resourceNamesSubscribe: ['old'] });
    ack(stream, await stream.next());
    stream.send('listener', {});
    ack(stream, await stream.next());
    stream.send('route', { resourceNamesSubscribe: ['r'] });
    ack(stream, await stream.next());
    server.set(snapshotOf({ clusters: { new: 1 }, endpoints: { new: 1 }, listeners: { l: 2 }, routes: { r: 201 } }));
    const cluster = await stream.next();
    assert.equal([cluster.kind, cluster.resources, cluster.removed], ['cluster', ['new'], []]);
    stream.send('endpoint', { resourceNamesSubscribe: ['new'] });
    const endpoint = await stream.next();
    assert.equal([endpoint.kind, endpoint.resources], ['endpoint', ['new']], 'Envoy warms a cluster before it answers for it');
    await nothing(stream);
    ack(stream, endpoint);
    await nothing(stream);
    ack(stream, cluster);
    const listener = await stream.next();
    assert.is(listener.kind, 'listener');
    await nothing(stream);
    ack(stream, listener);
    const route = await stream.next();
    assert.is(route.kind, 'route');
    await nothing(stream);
    nack(stream, route, 'no');
    await nothing(stream);
    server.set(snapshotOf({ clusters: { new: 1 }, endpoints: { new: 1 }, listeners: { l: 2 }, routes: { r: 202 } }));
    ack(stream, await stream.next());
    const gone = await stream.next();
    assert.equal([gone.kind, gone.removed], ['cluster', ['old']], 'while routes were refused it stayed');
    ack(stream, gone);
    const last = await stream.next();
    assert.equal([last.kind, last.removed], ['endpoint', ['old']]);
    stream.close();
  }),
);

test(
  'a changed cluster gets its endpoints again; an endpoint change is one resource',
  withXds(async ({ server, target }) => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`c${i}`, 1]));
    server.set(snapshotOf({ clusters: many, endpoints: many }));
    const stream = rawStream(target, 'delta');
    stream.send('cluster', {});
    ack(stream, await stream.next());
    stream.send('endpoint', { resourceNamesSubscribe: Object.keys(many) });
    ack(stream, await stream.next());
    const moved = snapshotOf({ clusters: many, endpoints: { ...many, c7: 99 } });
    server.setEndpoints('node', moved.version, moved.endpoints);
    const one = await stream.next();
    assert.equal([one.kind, one.resources, one.removed, one.version], ['endpoint', ['c7'], [], moved.version]);
    ack(stream, one);
    await nothing(stream);
    server.set(snapshotOf({ clusters: { ...many, c7: 5 }, endpoints: { ...many, c7: 99 } }));
    const cluster = await stream.next();
    assert.equal([cluster.kind, cluster.resources], ['cluster', ['c7']]);
    const warm = await stream.next();
    assert.equal([warm.kind, warm.resources], ['endpoint', ['c7']]);
    stream.close();
  }),
);

test(
  'secrets are pushed in place',
  withXds(async ({ server, target }) => {
    server.set(snapshotOf({}));
    const secret = (text: string) => [{ name: 'default', tlsCertificate: { certificateChain: { inlineString: text } } }];
    server.setSecrets('node', secret('one'));
    const stream = rawStream(target, 'delta');
    stream.send('secret', { resourceNamesSubscribe: ['default', 'ROOTCA'] });
    const first = await stream.next();
    assert.equal([first.resources, first.removed], [['default'], ['ROOTCA']]);
    ack(stream, first);
    server.set(snapshotOf({ clusters: { a: 1 } }));
    await nothing(stream);
    server.setSecrets('node', secret('two'));
    assert.equal((await stream.next()).resources, ['default']);
    stream.close();
  }),
);

test(
  'secrets may come before the config, and go with the proxy',
  withXds(async ({ server, target }) => {
    server.setSecrets('node', [{ name: 'default', genericSecret: { secret: { inlineString: 'one' } } }]);
    server.set(snapshotOf({}));
    const stream = rawStream(target, 'delta');
    stream.send('secret', { resourceNamesSubscribe: ['default'] });
    const first = await stream.next();
    assert.equal(first.resources, ['default']);
    ack(stream, first);
    stream.close();
    server.remove('node');
    server.set(snapshotOf({}));
    const again = rawStream(target, 'delta');
    again.send('secret', { resourceNamesSubscribe: ['default'] });
    assert.equal((await again.next()).removed, ['default']);
    again.close();
  }),
);

test(
  'a large push is split',
  withXds(async ({ server, target }) => {
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`${'x'.repeat(1000)}${i}`, 1]));
    server.set(snapshotOf({ clusters: many }));
    const stream = rawStream(target, 'delta');
    stream.send('cluster', {});
    const got = new Set<string>();
    let responses = 0;
    while (got.size < 20_000) {
      const seen = await stream.next();
      responses++;
      for (const name of seen.resources) got.add(name);
      ack(stream, seen);
    }
    assert.ok(responses > 1 && responses < 5, `${responses} responses`);
    await nothing(stream);
    stream.close();
  }),
);

test(
  'settled tells what clients took, refused, or left unanswered',
  withXds(async ({ server, target }) => {
    const good = snapshotOf({ clusters: { a: 1 }, listeners: { l: 1 } });
    server.set(good);
    const stream = rawStream(target, 'delta');
    const settled = server.settled('node', good.version, 5000);
    stream.send('cluster', {});
    ack(stream, await stream.next());
    stream.send('listener', {});
    ack(stream, await stream.next());
    assert.equal(await settled, { applied: true, version: good.version });
    const bad = snapshotOf({ clusters: { a: 1 }, listeners: { l: 2 } });
    server.set(bad);
    nack(stream, await stream.next(), "error adding listener: 'l' cannot bind '127.0.0.1:2': Address already in use");
    const refused = await server.settled('node', bad.version, 5000);
    assert.is(refused.applied, false);
    assert.equal(refused.applied ? [] : refused.problems.map((p) => [p.rule, p.origin, p.severity]), [
      ['listener/port-in-use', 'listener l', 'error'],
    ]);
    server.retry('node');
    const again = await stream.next();
    assert.equal(again.resources, ['l'], 'the port may be free by now');
    const late = await server.settled('node', bad.version, 50).catch((e: Error & { code: string }) => e);
    assert.ok(late instanceof Error && 'code' in late && late.code === 'E_ENGINE_FAILED');
    assert.match((late as Error).message, /not answered for listener/);
    ack(stream, again);
    assert.is((await server.settled('node', bad.version, 5000)).applied, true);
    stream.close();
  }),
);

test(
  'a resource that cannot be encoded is refused by the server itself',
  withXds(async ({ server, target }) => {
    const good = snapshotOf({ clusters: { a: 1 } });
    const broken = { ...good, clusters: [...good.clusters, { name: 'b', connectTimeout: 'soon' }], version: 'broken' };
    server.set(broken);
    const stream = rawStream(target, 'delta');
    stream.send('cluster', {});
    const seen = await stream.next();
    assert.equal(seen.resources, ['a']);
    ack(stream, seen);
    stream.send('listener', {});
    ack(stream, await stream.next());
    const result = await server.settled('node', 'broken', 5000);
    assert.match(result.applied ? '' : (result.problems[0]?.message ?? ''), /cluster b.*Duration/);
    stream.close();
  }),
);

test.run();
