/** Commands on a real API server: what they read, what they may read, and what they say when they may not. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { kinds } from '../../src/config/kinds/registry.ts';
import { fairlead, type Ran } from '../support/cli.ts';
import { createDefinitions, namespaceOf, routeOf, serviceOf, sliceOf } from '../support/cluster-objects.ts';
import { until } from '../support/http.ts';
import { clientOf, type KubeApi, type KubeObject, startKubeApi, tokenOf } from '../support/kube-api.ts';

const started = await startKubeApi();
if ('missing' in started) {
  console.log(`SKIP commands on a cluster: ${started.missing}`);
  test('there is no API server on this machine', () => undefined);
} else {
  const api = started;
  const run = (args: string, more: { kubeconfig?: string; input?: string } = {}): Promise<Ran> =>
    fairlead(args.split(' '), { env: { KUBECONFIG: more.kubeconfig ?? api.kubeconfig }, ...(more.input ? { input: more.input } : {}) });

  test.after(() => api.stop());

  test('a cluster without any of Istio’s kinds is no error', async () => {
    const { code, out, err } = await run('proxy-config cluster -k --proxy client');
    assert.is(code, 0, err);
    assert.match(err, /note: test has no CustomResourceDefinition of VirtualService, DestinationRule, /);
    assert.match(out, /PassthroughCluster/);
  });

  test('the API server takes the generated definitions, and holds objects to their schemas', async () => {
    await createDefinitions(api);
    for (const name of ['shop', 'other', 'istio-system']) await api.create(namespaceOf(name));
    const wrong = await api
      .create({
        ...routeOf('wrong', 'shop', 'x'),
        spec: { hosts: ['wrong'], http: [{ route: [{ destination: { host: 'x' }, weight: 'many' }] }] },
      })
      .catch((error: Error) => error.message);
    assert.match(String(wrong), /spec\.http\[0\]\.route\[0\]\.weight.*integer/);
    type Definition = { metadata: { name: string }; status: { conditions: { type: string; status: string; message: string }[] } };
    const bad = ({ status: { conditions } }: Definition): boolean =>
      conditions.some(({ type, status }) => (type === 'NonStructuralSchema') === (status === 'True'));
    let definitions: { items: Definition[] } = { items: [] };
    await until('every definition is taken', async () => {
      definitions = (await api.admin.request('/apis/apiextensions.k8s.io/v1/customresourcedefinitions')) as { items: Definition[] };
      return !definitions.items.some(bad);
    });
    assert.is(definitions.items.length, kinds.filter(({ group }) => group.endsWith('.istio.io')).length);
  });

  test('explain, describe, proxy-config and test read the cluster, and name its objects', async () => {
    await api.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio', namespace: 'istio-system' },
      data: { mesh: 'outboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n' },
    });
    await api.create(serviceOf('reviews', 'shop', 9080));
    await api.create(sliceOf('reviews', 'shop', 9080, ['10.1.1.1']));
    await api.create(routeOf('reviews', 'shop', 'reviews', { timeout: '3s' }));
    const explained = await run('explain -k http://reviews.shop:9080/');
    assert.is(explained.code, 0, explained.err);
    assert.match(explained.out, /VirtualService shop\/reviews http\[0\] +cluster\/test: VirtualService shop\/reviews/);
    assert.match(explained.out, /10\.1\.1\.1:9080[\s\S]*timeout +3 s/);
    const unknown = await run('explain -k http://elsewhere.example/');
    assert.match(unknown.out, /BlackHole|502|no route/i, 'the MeshConfig of the ConfigMap istio counts');
    const described = await run('describe service reviews.shop -k -o json');
    assert.match(described.out, /cluster\/test: VirtualService shop\/reviews/);
    const clusters = await run('proxy-config cluster -k --proxy client');
    assert.match(clusters.out, /reviews\.shop\.svc\.cluster\.local +9080/);
    const tests = join(api.folder, 'a.mesh-test.yaml');
    writeFileSync(
      tests,
      'tests:\n  - name: reviews\n    hosts: reviews.shop:9080\n    paths: /\n    expect: {destination: reviews.shop.svc.cluster.local}\n',
    );
    const tested = await run(`test -k ${tests}`);
    assert.is(tested.code, 0, tested.out + tested.err);
  });

  test('files go before what the cluster has of the same name; diff shows what applying them would change', async () => {
    const file = join(api.folder, 'next.yaml');
    writeFileSync(file, JSON.stringify(routeOf('reviews', 'shop', 'reviews', { timeout: '7s' })));
    const explained = await run(`explain http://reviews.shop:9080/ -k -f ${file}`);
    assert.match(explained.out, /next\.yaml:1:\d+[\s\S]*timeout +7 s/, explained.err);
    const { code, out, err } = await run(`diff -k ${file} -o json`);
    assert.is(code, 1, err);
    const { causes } = JSON.parse(out) as { causes: { config?: { origin?: string } }[] };
    assert.is(causes.length, 1);
    assert.match(JSON.stringify(causes[0]?.config), /VirtualService.*reviews/);
  });

  test('analyze finds what is wrong in the cluster; the cluster is the whole mesh', async () => {
    await api.create(routeOf('lost', 'shop', 'nowhere.shop.svc.cluster.local'));
    const { code, out, err } = await run('analyze -k -n shop -o json');
    assert.is(code, 1, err);
    const findings = JSON.parse(out) as { code: string; origin: string; file?: string; line?: number }[];
    const lost = findings.filter(({ code }) => code === 'IST0101');
    assert.ok(lost.length > 0 && lost.every(({ file }) => file === 'cluster/test: VirtualService shop/lost'), out);
    assert.ok(lost.every(({ line }) => line === undefined));
    await api.remove(routeOf('lost', 'shop', ''));
  });

  test('more objects than a page has are all read', async () => {
    await Promise.all(Array.from({ length: 1100 }, (_, i) => api.create(serviceOf(`many-${i}`, 'other'))));
    const { out, err } = await run('proxy-config cluster -k --proxy client -o json');
    assert.is(new Set(out.match(/many-\d+\.other\.svc\.cluster\.local/g)).size, 1100, err);
  });

  test('a wrong object is left out with a warning; a wrong policy is not', async () => {
    const regex = (name: string): KubeObject => ({
      ...routeOf(name, 'shop', 'reviews'),
      spec: { hosts: [name], http: [{ match: [{ uri: { regex: '(' } }], route: [{ destination: { host: 'reviews' } }] }] },
    });
    await api.create(regex('broken'));
    const explained = await run('explain -k http://reviews.shop:9080/');
    assert.is(explained.code, 0, explained.err);
    assert.match(explained.err, /warning: cluster\/test: VirtualService shop\/broken: .*it is left out/);
    const validated = await run('validate -k');
    assert.is(validated.code, 1);
    assert.match(validated.out, /cluster\/test: VirtualService shop\/broken/);
    await api.remove(regex('broken'));
    const policy: KubeObject = {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'broken', namespace: 'shop' },
      spec: { action: 'DENY', rules: [{ when: [{ key: 'no.such.key', values: ['x'] }] }] },
    };
    await api.create(policy);
    const refused = await run('explain -k http://reviews.shop:9080/');
    assert.is(refused.code, 1, refused.out);
    assert.match(refused.err, /cluster\/test: AuthorizationPolicy shop\/broken/);
    await api.remove(policy);
  });

  test('who is not known, or may not, is told so by verb and resource', async () => {
    const stranger = await run('explain -k http://x/', { kubeconfig: api.kubeconfigFor('stranger', 'no-such-token') });
    assert.is(stranger.code, 3);
    assert.match(stranger.err, /does not know who asks \(401\)/);
    const nobody = await run('explain -k http://x/', { kubeconfig: api.kubeconfigFor('nobody', 'nobody-token') });
    assert.is(nobody.code, 3);
    assert.match(nobody.err, /User "nobody" cannot list resource "\w+" in API group "[\w.]*" in the namespace "default"/);
    const away = await run('explain -k http://x/', { kubeconfig: api.kubeconfigFor('away', 'x', 1) });
    assert.is(away.code, 3);
    assert.match(away.err, /nothing listens at 127\.0\.0\.1:1/);
    const context = await run('explain -k --context elsewhere http://x/');
    assert.match(context.err, /there is no context elsewhere[\s\S]*Name one with --context: test/);
    assert.match((await run('explain -k http://x/', { kubeconfig: '/no/such/file' })).err, /there is no such file/);
  });

  test('the documented roles are enough for a service account, and all that it may', async () => {
    await grantDocumentedRoles(api, 'reader');
    const kubeconfig = api.kubeconfigFor('reader', await tokenOf(api, 'default', 'reader'));
    const { code, out, err } = await run('explain -k -A http://reviews.shop:9080/', { kubeconfig });
    assert.is(code, 0, err);
    assert.is(err, '');
    assert.match(out, /cluster\/reader: VirtualService shop\/reviews/);
    const reader = clientOf(kubeconfig);
    for (const path of [
      '/api/v1/secrets',
      '/api/v1/configmaps',
      '/api/v1/namespaces/istio-system/configmaps/other',
      '/api/v1/namespaces/default/pods/x',
    ])
      assert.is(await codeOf(reader.request(path)), 'E_CLUSTER_FORBIDDEN', path);
    for (const method of ['POST', 'PUT', 'DELETE'])
      assert.is(await codeOf(reader.request('/api/v1/namespaces/default/services/x', { method, body: {} })), 'E_CLUSTER_FORBIDDEN', method);
    reader.close();
  });

  test('who may read one namespace alone reads that one, and it is said', async () => {
    const name = 'tenant';
    await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'shop' } });
    const [reader] = documentedRoles();
    await api.create({ ...(reader as KubeObject), kind: 'Role', metadata: { name, namespace: 'shop' } });
    await bind(api, { role: 'Role', name, namespace: 'shop', account: 'tenant', accountNamespace: 'shop' });
    const kubeconfig = api.kubeconfigFor(name, await tokenOf(api, 'shop', name));
    const { code, out, err } = await run('explain -k -n shop http://reviews.shop:9080/', { kubeconfig });
    assert.is(code, 0, err);
    assert.match(out, /cluster\/tenant: VirtualService shop\/reviews/);
    assert.match(
      err,
      /virtualservices are read of namespace shop alone: this user may not list virtualservices\.networking\.istio\.io in all of tenant/,
    );
    assert.match(err, /nodes are left out/);
    const all = await run('explain -k -n shop -A http://reviews.shop:9080/', { kubeconfig });
    assert.is(all.code, 3);
    assert.match(all.err, /at the cluster scope/);
  });
}

test.run();

function codeOf(answer: Promise<unknown>): Promise<unknown> {
  return answer.then(
    () => 'none',
    (error: { code?: string }) => error.code,
  );
}

/** The manifests of docs/kubernetes.md. */
function documentedRoles(): KubeObject[] {
  const text = readFileSync(new URL('../../docs/kubernetes.md', import.meta.url), 'utf8');
  const block = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] as string;
  return parseAllDocuments(block).map((document) => document.toJS() as KubeObject);
}

async function grantDocumentedRoles(api: KubeApi, account: string): Promise<void> {
  await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace: 'default' } });
  for (const role of documentedRoles()) {
    await api.create(role);
    const { name, namespace } = role.metadata;
    await bind(api, { role: role.kind, name, namespace, account, accountNamespace: 'default' });
  }
}

async function bind(
  api: KubeApi,
  to: { role: string; name: string; namespace: string | undefined; account: string; accountNamespace: string },
): Promise<void> {
  await api.create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: `${to.role}Binding`,
    metadata: { name: to.name, ...(to.namespace === undefined ? {} : { namespace: to.namespace }) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: to.role, name: to.name },
    subjects: [{ kind: 'ServiceAccount', name: to.account, namespace: to.accountNamespace }],
  });
}
