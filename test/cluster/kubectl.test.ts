/** What commands on a cluster have in common with kubectl: the context's namespace, one that is named, and authz on what is there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead, type Ran } from '../support/cli.ts';
import { createDefinitions, namespaceOf, routeOf, serviceOf, sliceOf } from '../support/cluster-objects.ts';
import { type KubeObject, startKubeApi, tokenOf } from '../support/kube-api.ts';

const started = await startKubeApi();
if ('missing' in started) {
  console.log(`SKIP the context's namespace: ${started.missing}`);
  test('there is no API server on this machine', () => undefined);
} else {
  const api = started;
  const run = (args: string[], kubeconfig: string): Promise<Ran> => fairlead(args, { env: { KUBECONFIG: kubeconfig } });
  /** A kubeconfig whose context has a namespace. */
  const within = (namespace: string, name: string, token = 'admin-token'): string => {
    const file = api.kubeconfigFor(name, token);
    writeFileSync(file, readFileSync(file, 'utf8').replace('context: {cluster: test', `context: {namespace: ${namespace}, cluster: test`));
    return file;
  };
  test.after(() => api.stop());

  test('names are those of the context’s namespace; -n default means default', async () => {
    await createDefinitions(api);
    await api.create(namespaceOf('shop'));
    for (const [namespace, address] of [
      ['shop', '10.1.1.1'],
      ['default', '10.2.2.2'],
    ] as const) {
      await api.create(serviceOf('reviews', namespace, 9080));
      await api.create(sliceOf('reviews', namespace, 9080, [address]));
      await api.create(routeOf('reviews', namespace, 'reviews', { timeout: namespace === 'shop' ? '3s' : '4s' }));
    }
    const shop = within('shop', 'shop');
    for (const [more, kubeconfig, timeout] of [
      [[], shop, '3s'],
      [['-n', 'default'], shop, '4s'],
      [[], api.kubeconfig, '4s'],
      [['-n', 'shop'], api.kubeconfig, '3s'],
    ] as const) {
      const { code, out, err } = await run(['route', 'show', 'reviews', '-k', ...more], kubeconfig);
      assert.is(code, 0, err);
      assert.match(out, new RegExp(`timeout: ${timeout}`), more.join(' '));
    }
    assert.match((await run(['route', 'timeout', 'reviews', '9s', '-k'], shop)).out, /changed cluster\/shop: VirtualService shop\/reviews/);
    assert.match((await run(['route', 'timeout', 'reviews', '9s', '-k', '-n', 'default'], shop)).out, /VirtualService default\/reviews/);
    const missing = await run(['route', 'show', 'reviews', '-k', '--context', 'nowhere'], shop);
    assert.is(missing.code, 3);
    assert.match(missing.err, /there is no context nowhere/);
    assert.not.match(missing.err, /\n\s+at /);
  });

  test('who may read one namespace alone reads the one that is named, default too', async () => {
    await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'dev', namespace: 'shop' } });
    for (const namespace of ['shop', 'default']) {
      await api.create({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'dev', namespace },
        rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['list'] }],
      });
      await api.create({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'dev', namespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'dev' },
        subjects: [{ kind: 'ServiceAccount', name: 'dev', namespace: 'shop' }],
      });
    }
    const dev = within('shop', 'dev', await tokenOf(api, 'shop', 'dev'));
    assert.match((await run(['route', 'list', '-k'], dev)).out, /shop\/reviews/);
    const named = await run(['route', 'list', '-k', '-n', 'default'], dev);
    assert.match(named.out, /default\/reviews/);
    assert.not.match(named.out, /shop\/reviews/);
    assert.match(named.err, /services are read of namespace default alone/);
  });

  test('authz check and authz can read the cluster', async () => {
    const labels = { app: 'reviews' };
    await api.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'reviews-1', namespace: 'shop', labels },
      spec: { serviceAccountName: 'reviews', containers: [{ name: 'app', image: 'app:1', ports: [{ containerPort: 9080 }] }] },
    });
    await api.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'rated', namespace: 'shop' },
      spec: { selector: labels, ports: [{ name: 'http', port: 9080 }] },
    });
    const policy: KubeObject = {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'readers', namespace: 'shop' },
      spec: {
        selector: { matchLabels: labels },
        rules: [{ from: [{ source: { namespaces: ['front'] } }], to: [{ operation: { methods: ['GET'] } }] }],
      },
    };
    await api.create(policy);
    const shop = within('shop', 'shop');
    const checked = await run(['authz', 'check', '-k', 'reviews-1'], shop);
    assert.is(checked.code, 0, checked.err);
    assert.match(checked.out, /readers[\s\S]*cluster\/shop: AuthorizationPolicy shop\/readers/);
    const can = (...args: string[]): Promise<Ran> => run(['authz', 'can', '-k', '--port', '9080', ...args], shop);
    const may = await can('front/web', 'reviews-1', 'GET', '/');
    assert.is(may.code, 0, may.err + may.out);
    assert.match(may.out, /readers/);
    assert.is((await can('front/web', 'reviews-1', 'POST', '/')).code, 1);
    assert.is((await can('anonymous', 'reviews-1', 'GET', '/')).code, 1);
    assert.is((await can('front/web', 'reviews-1.default', 'GET', '/')).code, 2, 'there is none in default');
  });
}

test.run();
