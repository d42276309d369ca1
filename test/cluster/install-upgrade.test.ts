/**
 * An upgrade from the objects of an earlier version, as it made them (fixtures/before-node-agents.json: the last that had no agents of nodes), with what a
 * cluster and its people have put into them since.
 */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { kinds } from '../../src/config/kinds/registry.ts';
import { customResourceDefinitions } from '../../src/install/crds.ts';
import { inventoryManifest } from '../../src/install/live/inventory.ts';
import { type Manifest, refOf } from '../../src/install/objects/object.ts';
import type { SettingsFile } from '../../src/install/settings/schema.ts';
import { fairlead, type Ran } from '../support/cli.ts';
import { createDefinitions, namespaceOf, routeOf } from '../support/cluster-objects.ts';
import { collectionOf, type KubeObject, startKubeApi } from '../support/kube-api.ts';

const NAMESPACE = 'fairlead-system';
const [first = '', ...rest] = readFileSync(new URL('fixtures/before-node-agents.json', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');
const { version, settings } = JSON.parse(first) as { version: string; settings: SettingsFile };
const before = rest.map((line) => JSON.parse(line) as KubeObject);

const started = await startKubeApi();
if ('missing' in started) {
  console.log(`SKIP an upgrade: ${started.missing}`);
  test('nothing to upgrade on', () => undefined);
} else {
  const api = started;
  test.after(() => api.stop());

  const run = (...args: string[]): Promise<Ran> => fairlead(args, { env: { KUBECONFIG: api.kubeconfig } });
  const done = async (...args: string[]): Promise<Ran> => {
    const ran = await run(...args);
    assert.is(ran.code, 0, `${args.join(' ')}\n${ran.out}\n${ran.err}`);
    return ran;
  };
  const pathOf = (object: KubeObject): string => `${collectionOf(object)}/${object.metadata.name}`;
  const read = (object: KubeObject): Promise<KubeObject | undefined> =>
    api.admin.request(pathOf(object)).then(
      (found) => found as KubeObject,
      () => undefined,
    );
  const sure = async (object: KubeObject): Promise<KubeObject> => (await api.admin.request(pathOf(object))) as KubeObject;
  const found = (kind: string, name: string): KubeObject =>
    before.find((object) => object.kind === kind && object.metadata.name === name) as KubeObject;
  const apply = async (object: KubeObject, manager: string): Promise<void> => {
    const path = `${pathOf(object)}?fieldManager=${manager}&force=true`;
    await api.admin.request(path, { method: 'PATCH', body: object, contentType: 'application/apply-patch+yaml' });
  };
  const injector = found('MutatingWebhookConfiguration', 'fairlead-sidecar-injector');
  const roots = found('ConfigMap', 'fairlead-ca-roots');
  const gateway = found('Deployment', 'ingressgateway');
  const agents: KubeObject = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'fairlead-agent', namespace: NAMESPACE } };
  const enforced = async (): Promise<unknown> =>
    ((await sure(namespaceOf(NAMESPACE))).metadata['labels'] as Record<string, string>)['pod-security.kubernetes.io/enforce'];
  const uids = new Map<string, unknown>();

  test('the earlier version is there, and in use', async () => {
    await createDefinitions(api);
    for (const definition of customResourceDefinitions(kinds)) await apply(definition as unknown as KubeObject, 'fairlead');
    for (const object of before) await apply(object, 'fairlead');
    const objects = [...customResourceDefinitions(kinds), ...before].map((object) => refOf(object as unknown as Manifest));
    await apply(inventoryManifest({ namespace: NAMESPACE, revision: '', version, settings, objects }) as KubeObject, 'fairlead');
    // The CA has published its roots, and the server of webhooks has filled them in.
    await apply({ ...roots, data: { 'root-cert.pem': 'the roots' } }, 'fairlead-ca');
    const hooks = (injector['webhooks'] as { name: string }[]).map(({ name }) => ({
      name,
      clientConfig: { caBundle: Buffer.from('roots').toString('base64') },
    }));
    await apply({ ...injector, metadata: { name: injector.metadata.name }, webhooks: hooks }, 'fairlead-webhook');
    // The autoscaler has made more pods; somebody uses the mesh.
    await api.admin.request(`${pathOf(gateway)}/scale`, {
      method: 'PATCH',
      body: { spec: { replicas: 4 } },
      contentType: 'application/merge-patch+json',
    });
    await api.create(namespaceOf('shop'));
    await api.create(routeOf('reviews', 'shop', 'v1'));
    for (const object of before) uids.set(pathOf(object), (await read(object))?.metadata['uid']);
  });

  test('`manifest diff` shows what the upgrade brings', async () => {
    const { code, out } = await run(
      'manifest',
      'diff',
      '--set',
      'injection.namespaces=[shop]',
      '--set',
      'gateways.internal.service.type=ClusterIP',
    );
    assert.is(code, 1);
    assert.match(out, /\+kind: DaemonSet\n/);
    assert.match(out, /-\s+pod-security\.kubernetes\.io\/enforce: restricted\n/);
    assert.match(out, /\+\s+pod-security\.kubernetes\.io\/enforce: privileged\n/);
  });

  test('it loses nothing: the same objects, with what others have set in them', async () => {
    const { err } = await done('upgrade', '--yes', '--no-wait');
    assert.match(err, /\+ create {2}DaemonSet fairlead-system\/fairlead-agent\n/);
    assert.not.match(err, /- delete/);
    for (const object of before) assert.is((await read(object))?.metadata['uid'], uids.get(pathOf(object)), pathOf(object));
    assert.equal((await sure(roots))['data'], { 'root-cert.pem': 'the roots' });
    const hooks = (await sure(injector))['webhooks'] as { name: string; clientConfig: { caBundle?: string } }[];
    assert.is(hooks.length, 8);
    for (const { name } of injector['webhooks'] as { name: string }[])
      assert.ok(hooks.find((hook) => hook.name === name)?.clientConfig.caBundle, name);
    assert.is(((await sure(gateway))['spec'] as { replicas: number }).replicas, 4);
    assert.ok(await read(routeOf('reviews', 'shop', 'v1')));
    assert.is(await enforced(), 'privileged');
    // Sidecars of the earlier version read the mesh themselves until their pods are made anew: they still may.
    const binding = (await sure(found('ClusterRoleBinding', 'fairlead-agent-fairlead-system'))) as KubeObject & {
      subjects?: { name: string }[];
    };
    assert.ok(binding.subjects?.some(({ name }) => name === 'system:serviceaccounts:shop'));
    const kept = JSON.parse(((await sure(inventory()))['data'] as { settings: string }).settings) as SettingsFile;
    assert.equal(kept, { ...settings, namespace: NAMESPACE });
    assert.is((await done('manifest', 'diff', ...sets())).out, '');
  });

  const inventory = (): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'fairlead-inventory', namespace: NAMESPACE },
  });
  /** The settings of the installation, as they are typed. */
  const sets = (): string[] =>
    ['injection.namespaces=[shop]', 'gateways.ingressgateway.credentials=[shop-cert]', 'gateways.internal.service.type=ClusterIP'].flatMap(
      (set) => ['--set', set],
    );

  test('the CA keeps its volume until its keys are in the Secret, and has several pods from the next upgrade on', async () => {
    const ca = found('Deployment', 'fairlead-ca');
    const claim = found('PersistentVolumeClaim', 'fairlead-ca');
    const state: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'fairlead-ca-state', namespace: NAMESPACE } };
    const caNow = async () => {
      const { replicas, strategy, template } = (await sure(ca))['spec'] as {
        replicas: number;
        strategy: { type: string };
        template: { spec: { volumes: { name: string; persistentVolumeClaim?: object }[] } };
      };
      return [replicas, strategy.type, template.spec.volumes.some(({ persistentVolumeClaim }) => persistentVolumeClaim)];
    };
    const first = await done('upgrade', '--yes', '--no-wait');
    assert.match(first.err, /the CA’s keys are in a volume: .* then makes 2 pods of it/);
    assert.equal(await caNow(), [1, 'Recreate', true]);
    assert.equal((await sure(state))['data'], undefined);
    await api.patch(state, { data: { 'state.json': Buffer.from('{}').toString('base64') } });
    const second = await done('upgrade', '--yes', '--no-wait');
    assert.not.match(second.err, /keys are in a volume/);
    assert.match(second.err, /keep {4}PersistentVolumeClaim fairlead-system\/fairlead-ca {2}\(the CA’s keys are in it\)/);
    assert.equal(await caNow(), [2, 'RollingUpdate', false]);
    assert.is((await sure(claim)).metadata['uid'], uids.get(pathOf(claim)));
    assert.equal((await sure(state))['data'], { 'state.json': Buffer.from('{}').toString('base64') });
    assert.equal(await caNow(), [2, 'RollingUpdate', false]);
  });

  test('without agents of nodes, all that was theirs goes, and the namespace is strict again', async () => {
    const { err } = await done('upgrade', '--yes', '--no-wait', '--set', 'injection.agent=pod');
    for (const gone of ['DaemonSet', 'ServiceAccount', 'ResourceQuota'])
      assert.match(err, new RegExp(`- delete {2}${gone} fairlead-system/fairlead-agent\\n`));
    assert.match(err, /- delete {2}ClusterRole fairlead-node-agent-fairlead-system\n/);
    assert.is(await read(agents), undefined);
    assert.is(await enforced(), 'restricted');
    for (const object of before) assert.is((await read(object))?.metadata['uid'], uids.get(pathOf(object)), pathOf(object));
  });

  test('a revision cannot have agents of nodes where the namespace forbids them, nor lose them to an upgrade', async () => {
    const refused = await run('install', '--revision', 'canary', '--yes', '--no-wait');
    assert.is(refused.code, 3);
    assert.match(refused.err, /fairlead-system enforces restricted, so that no agent of a node could begin there/);
    await done('upgrade', '--yes', '--no-wait', '--set', 'injection.agent=node');
    await done('install', '--revision', 'canary', '--yes', '--no-wait');
    const back = await run('upgrade', '--yes', '--no-wait', '--set', 'injection.agent=pod');
    assert.is(back.code, 3);
    assert.match(back.err, /the agents of nodes of revision canary are in it/);
    assert.is(await enforced(), 'privileged');
    assert.match((await done('install', '--pre', '--revision', 'canary')).out, /Pod Security of the namespace: privileged/);
    await done('uninstall', '--yes', '--revision', 'canary');
  });

  test('uninstall leaves nothing', async () => {
    await done('uninstall', '--yes', '--purge', '--purge-objects');
    const left: string[] = [];
    for (const path of [
      ...['clusterroles', 'clusterrolebindings', `namespaces/${NAMESPACE}/roles`, `namespaces/${NAMESPACE}/rolebindings`].map(
        (name) => `/apis/rbac.authorization.k8s.io/v1/${name}`,
      ),
      ...[
        'mutatingwebhookconfigurations',
        'validatingwebhookconfigurations',
        'validatingadmissionpolicies',
        'validatingadmissionpolicybindings',
      ].map((name) => `/apis/admissionregistration.k8s.io/v1/${name}`),
      ...['deployments', 'daemonsets'].map((name) => `/apis/apps/v1/namespaces/${NAMESPACE}/${name}`),
      ...['configmaps', 'services', 'serviceaccounts', 'resourcequotas', 'persistentvolumeclaims'].map(
        (name) => `/api/v1/namespaces/${NAMESPACE}/${name}`,
      ),
      `/apis/policy/v1/namespaces/${NAMESPACE}/poddisruptionbudgets`,
      `/apis/autoscaling/v2/namespaces/${NAMESPACE}/horizontalpodautoscalers`,
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    ]) {
      const { items } = (await api.admin.request(`${path}?labelSelector=app.kubernetes.io%2Fpart-of%3Dfairlead`)) as {
        items: KubeObject[];
      };
      // Without a controller a volume that is protected does not go.
      left.push(
        ...items.filter(({ metadata }) => metadata['deletionTimestamp'] === undefined).map(({ metadata }) => `${path}/${metadata.name}`),
      );
    }
    assert.equal(left, []);
  });
}

test.run();
