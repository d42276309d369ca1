/** Watches on a real API server: what is listed anew and what is not, and that what did not change stays the same. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ApiClient, createApiClient } from '../../src/kubernetes/client.ts';
import { type ClusterWatch, watchCluster } from '../../src/kubernetes/cluster-watch.ts';
import type { ClusterAccess } from '../../src/kubernetes/kube-config.ts';
import { createReachability } from '../../src/kubernetes/reachability.ts';
import { WATCH_TIMING, watchCollection } from '../../src/kubernetes/watch-collection.ts';
import { createDefinitions, namespaceOf, routeOf, serviceOf, until } from '../support/cluster-objects.ts';
import { type CutProxy, startCutProxy } from '../support/cut-proxy.ts';
import { accessOf, compact, type KubeApi, startKubeApi } from '../support/kube-api.ts';

const started = await startKubeApi();
if ('missing' in started) {
  console.log(`SKIP watches on a cluster: ${started.missing}`);
  test('there is no API server on this machine', () => undefined);
} else {
  const api = started;
  const proxy = await startCutProxy(api.port);
  const access = accessOf(api.kubeconfigFor('watcher', 'admin-token', proxy.port));
  test.after(async () => {
    await proxy.close();
    await api.stop();
  });

  test('a silent watch is taken for dead; it goes on from the last version, without a list', async () => {
    const watched = watchServices(access, { silence: 1500 });
    await until('it is watched', () => watched.names().includes('kubernetes'));
    await api.create(serviceOf('a', 'default'));
    await until('a is seen', () => watched.names().includes('a'));
    proxy.freeze();
    await api.create(serviceOf('b', 'default'));
    await until('b is seen', () => watched.names().includes('b'));
    await api.remove(serviceOf('b', 'default'));
    await until('b is gone', () => !watched.names().includes('b'));
    assert.is(watched.lists(), 1);
    assert.ok(proxy.accepted() > 1);
    watched.stop();
  });

  test('a forgotten version (410) is listed anew', async () => {
    const watched = watchServices(access, {});
    await until('it is watched', () => watched.names().includes('a'));
    proxy.refuse();
    await until('it is cut', () => watched.failures().length > 0);
    await forget(api, proxy);
    await until('c is seen', () => watched.names().includes('c'));
    assert.ok(!watched.names().includes('a'), 'what was removed meanwhile is gone');
    assert.is(watched.lists(), 2);
    watched.stop();
  });

  test('a list from time to time puts right what no event told', async () => {
    const watched = watchServices(access, { resync: 1000, lifetime: 1000 });
    await until('it is listed again', () => watched.lists() >= 3);
    watched.stop();
  });

  test('definitions that are installed later are found, and their objects', async () => {
    let changes = 0;
    const watch = watchCluster({ access, changed: () => void changes++, note: () => undefined, timing: { discover: 500 } });
    await watch.ready;
    assert.equal(watch.read().problems, []);
    assert.is(routes(watch).size, 0);
    await createDefinitions(api);
    await api.create(namespaceOf('shop'));
    await api.create(routeOf('one', 'shop', 'c'));
    await until('the route is seen', () => routes(watch).has('one'));
    await until('it is told', () => changes > 0);
    watch.close();
  });

  test('an object that did not change stays the same object, also when all is listed anew', async () => {
    await api.create(routeOf('two', 'shop', 'c'));
    let changes = 0;
    const watch = watchCluster({ access, changed: () => void changes++, note: () => undefined, timing: { lifetime: 1000, resync: 1000 } });
    await watch.ready;
    const before = routes(watch);
    assert.equal([...before.keys()].sort(), ['one', 'two']);
    await api.patch(routeOf('two', 'shop', 'c'), { spec: { hosts: ['two', 'deux'] } });
    await until('the change is seen', () => routes(watch).get('two') !== before.get('two'));
    await until('it is told', () => changes > 0);
    const told = changes;
    // Lists of all kinds, at least two of each.
    await new Promise((resolve) => setTimeout(resolve, 4000));
    assert.is(routes(watch).get('one'), before.get('one'));
    assert.is(changes, told, 'nothing changed, so nothing was said');
    watch.close();
  });

  test('an object that is removed is gone', async () => {
    const watch = watchCluster({ access, changed: () => undefined, note: () => undefined });
    await watch.ready;
    assert.is(routes(watch).size, 2);
    await api.admin.request('/apis/networking.istio.io/v1/namespaces/shop/virtualservices/one', { method: 'DELETE' });
    await until('one is gone', () => !routes(watch).has('one'));
    watch.close();
    assert.equal(watch.read().problems, []);
  });
}

test.run();

/** All VirtualServices, by name. */
function routes(watch: ClusterWatch): Map<string, unknown> {
  const found = (watch.read().objects ?? []).filter(({ value }) => value['kind'] === 'VirtualService');
  return new Map(found.map((object) => [(object.value['metadata'] as { name: string }).name, object]));
}

/** Watches the Services of the default namespace, and counts lists. */
function watchServices(access: ClusterAccess, timing: Partial<typeof WATCH_TIMING>) {
  const real = createApiClient(access);
  let lists = 0;
  const client: ApiClient = {
    ...real,
    request(path, more) {
      if (path.includes('/services?')) lists++;
      return real.request(path, more);
    },
  };
  const stop = new AbortController();
  const names = new Set<string>();
  const failures: string[] = [];
  const nameOf = (object: Record<string, unknown>): string => (object['metadata'] as { name: string }).name;
  const ended = watchCollection({
    client,
    path: '/api/v1/namespaces/default/services',
    reachability: createReachability(client, stop.signal),
    timing: { ...WATCH_TIMING, ...timing },
    signal: stop.signal,
    keep: (object) => object,
    listed(objects) {
      names.clear();
      for (const object of objects) names.add(nameOf(object));
    },
    opened: () => undefined,
    put: (object) => void names.add(nameOf(object)),
    dropped: (object) => void names.delete(nameOf(object)),
    failed(error) {
      failures.push(error.message);
      return false;
    },
  });
  return {
    names: () => [...names],
    lists: () => lists,
    failures: () => failures,
    async stop() {
      stop.abort();
      await ended;
      real.close();
    },
  };
}

/** Changes Services while nobody can look, and has both etcd and the API server forget what they were. */
async function forget(api: KubeApi, proxy: CutProxy): Promise<void> {
  await api.create(serviceOf('c', 'default'));
  await api.remove(serviceOf('a', 'default'));
  for (let i = 0; i < 10; i++) await api.patch(serviceOf('c', 'default'), { metadata: { annotations: { n: String(i) } } });
  await compact(api.etcd);
  // The API server itself remembers some time longer; a new one does not.
  await api.kill();
  await api.restart();
  proxy.heal();
}
