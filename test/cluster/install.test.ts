/** install, upgrade, revisions and uninstall on a real API server. It has no controllers: what is ready is said by the test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { kinds } from '../../src/config/kinds/registry.ts';
import { customResourceDefinitions } from '../../src/install/crds.ts';
import { manifestsOf } from '../../src/install/manifests.ts';
import { resolveSettings } from '../../src/install/settings/resolve.ts';
import { fairlead, type Ran, startFairlead } from '../support/cli.ts';
import { namespaceOf, routeOf, until } from '../support/cluster-objects.ts';
import { collectionOf, type KubeObject, startKubeApi, tokenOf } from '../support/kube-api.ts';

const NAMESPACE = 'fairlead-system';
/** Objects of an installation without settings. */
const COUNT = manifestsOf(resolveSettings({}, { revision: '', version: '0' }), '0').length;
const started = await startKubeApi();
if ('missing' in started) {
  console.log(`SKIP an installation: ${started.missing}`);
  test('nothing to run it on', () => undefined);
} else {
  const api = started;
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
  test.after(async () => {
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (...args: string[]): Promise<Ran> => fairlead(args, { env: { KUBECONFIG: api.kubeconfig } });
  const done = async (...args: string[]): Promise<Ran> => {
    const ran = await run(...args);
    assert.is(ran.code, 0, `${args.join(' ')}\n${ran.out}\n${ran.err}`);
    return ran;
  };
  const read = (path: string): Promise<KubeObject | undefined> =>
    api.admin.request(path).then(
      (found) => found as KubeObject,
      () => undefined,
    );
  const at = (path: string): string => `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${path}`;
  const own = (path: string): string => `/api/v1/namespaces/${NAMESPACE}/${path}`;
  const merge = (path: string, body: object, manager = 'kubectl'): Promise<unknown> =>
    api.admin.request(`${path}?fieldManager=${manager}`, { method: 'PATCH', body, contentType: 'application/merge-patch+json' });

  const definitions = async (): Promise<string> => {
    const { items } = (await api.admin.request('/apis/apiextensions.k8s.io/v1/customresourcedefinitions')) as { items: KubeObject[] };
    return items.map(({ metadata }) => metadata.name).join();
  };

  test('a definition of Istio is there before', async () => {
    const [definition] = customResourceDefinitions(kinds.filter(({ kind }) => kind === 'Sidecar'));
    const { metadata } = definition as unknown as KubeObject;
    await api.create({
      ...(definition as unknown as KubeObject),
      metadata: { ...metadata, labels: { app: 'istio-pilot', chart: 'istio' } },
    });
  });

  test('--pre checks, and changes nothing', async () => {
    const { out } = await done('install', '--pre');
    assert.match(out, /permissions: all \d+ that are needed/);
    assert.match(out, /definitions of Istio’s kinds: 1 are there already/);
    assert.is(await read(`/api/v1/namespaces/${NAMESPACE}`), undefined);
  });

  test('a dry run says what would be made, and makes nothing', async () => {
    const { out, err } = await done('install', '--dry-run');
    assert.match(err, /\+ create {2}Deployment fairlead-system\/ingressgateway\n/);
    assert.match(err, /leave +CustomResourceDefinition sidecars\.networking\.istio\.io {2}\(there already \(of istio-pilot\)\)/);
    assert.match(out, new RegExp(`this creates ${COUNT - 1} objects; nothing was done`));
    assert.is(await read(`/api/v1/namespaces/${NAMESPACE}`), undefined);
  });

  test('without a terminal it is not done unless --yes says so', async () => {
    const { code, err } = await run('install');
    assert.is(code, 2);
    assert.match(err, /say --yes to do it without being asked/);
    assert.is(await read(`/api/v1/namespaces/${NAMESPACE}`), undefined);
  });

  test('what the API server refuses is said before anything is done', async () => {
    const { code, err } = await run('install', '--yes', '--set', 'ca.resources.requests.cpu=2', '--set', 'ca.resources.limits.cpu=1');
    assert.is(code, 3);
    assert.match(err, /Deployment fairlead-system\/fairlead-ca/);
    assert.match(err, /must be less than or equal to cpu limit/);
    assert.is(await read(`/api/v1/namespaces/${NAMESPACE}`), undefined);
  });

  test('it is installed; what is not ready is said after the deadline, and ready is what the status says', async () => {
    const late = await run('install', '--yes', '--timeout', '1s');
    assert.is(late.code, 3);
    assert.match(late.err, /not all is ready after 1 s; everything was applied, and stays/);
    assert.match(late.err, /no controller has seen it yet/);
    const waiting = startFairlead(['upgrade', '--yes', '--timeout', '60s'], { KUBECONFIG: api.kubeconfig });
    await until('it waits', () => /Deployment fairlead-system\/ingressgateway: no controller/.test(waiting.err()));
    await merge(`${at('ingressgateway')}/status`, {
      status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, unavailableReplicas: 1 },
    });
    await until('it says what is missing', () => /ingressgateway: 0 of 1 pods are ready/.test(waiting.err()));
    for (const name of ['fairlead-ca', 'fairlead-webhook', 'ingressgateway']) {
      const { replicas = 1 } = (await read(at(name)))!['spec'] as { replicas?: number };
      const numbers = { replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas };
      await merge(`${at(name)}/status`, { status: { observedGeneration: 1, ...numbers, unavailableReplicas: null } });
    }
    const agents = `/apis/apps/v1/namespaces/${NAMESPACE}/daemonsets/fairlead-agent/status`;
    const nodes = { currentNumberScheduled: 2, desiredNumberScheduled: 2, numberMisscheduled: 0, numberReady: 1, numberAvailable: 1 };
    await merge(agents, { status: { observedGeneration: 1, ...nodes } });
    await until('it says of the nodes', () => /DaemonSet fairlead-system\/fairlead-agent: it is new on 0 of 2 nodes/.test(waiting.err()));
    await merge(agents, { status: { updatedNumberScheduled: 2 } });
    await until('it says which are ready', () => /fairlead-agent: it is ready on 1 of 2 nodes/.test(waiting.err()));
    await merge(agents, { status: { numberReady: 2, numberAvailable: 2 } });
    assert.is(await waiting.ended, 0);
    assert.match(waiting.out(), /fairlead \S+ is ready in fairlead-system/);
  });

  test('a second install is refused; manifest diff is empty', async () => {
    const again = await run('install', '--yes');
    assert.is(again.code, 3);
    assert.match(again.err, /is installed in fairlead-system already/);
    assert.is((await done('manifest', 'diff')).out, '');
  });

  test('the printed objects are those that are applied, and pass a dry run of somebody else', async () => {
    const { out } = await done('manifest', 'generate');
    const objects = parseAllDocuments(out).map((document) => document.toJS() as KubeObject);
    assert.is(objects.length, COUNT);
    for (const object of objects) {
      const path = `${collectionOf(object)}/${object.metadata.name}?dryRun=All&fieldManager=kubectl&fieldValidation=Strict&force=true`;
      await api.admin.request(path, { method: 'PATCH', body: object, contentType: 'application/apply-patch+yaml' });
    }
    writeFileSync(join(folder, 'fairlead.yaml'), out);
    assert.match((await done('analyze', '--complete', join(folder, 'fairlead.yaml'))).out, /nothing found/);
  });

  test('an upgrade keeps the settings, and shows the change', async () => {
    const { err } = await done('upgrade', '--yes', '--no-wait', '--set', 'gateways.ingressgateway.service.type=ClusterIP');
    assert.match(err, /-\s+type: LoadBalancer\n/);
    assert.match(err, /\+\s+type: ClusterIP\n/);
    await done('upgrade', '--yes', '--no-wait', '--set', 'logFormat=text');
    const service = await read(own('services/ingressgateway'));
    assert.is((service!['spec'] as { type: string }).type, 'ClusterIP');
    const diff = await run('manifest', 'diff');
    assert.is(diff.code, 1);
    assert.match(diff.out, /type: LoadBalancer/);
  });

  test('fields that others have set are shown, and taken only with --force-conflicts', async () => {
    await merge(
      at('fairlead-ca'),
      { spec: { template: { spec: { priorityClassName: 'x', terminationGracePeriodSeconds: 5 } }, replicas: 3 } },
      'kubectl-edit',
    );
    const { code, err } = await run('upgrade', '--yes', '--no-wait');
    assert.is(code, 3);
    assert.match(err, /kubectl-edit has set \.spec\.replicas/);
    assert.match(err, /--force-conflicts/);
    const replicas = async (): Promise<number> => ((await read(at('fairlead-ca')))!['spec'] as { replicas: number }).replicas;
    assert.is(await replicas(), 3);
    assert.match((await run('manifest', 'diff')).out, /-\s+replicas: 3/);
    const forced = await done('upgrade', '--yes', '--no-wait', '--force-conflicts');
    assert.match(forced.err, /\.spec\.replicas is taken over from kubectl-edit/);
    assert.is(await replicas(), 2);
    // What the settings say nothing of stays.
    const { template } = (await read(at('fairlead-ca')))!['spec'] as { template: { spec: { terminationGracePeriodSeconds: number } } };
    assert.is(template.spec.terminationGracePeriodSeconds, 5);
  });

  test('what an older version left goes, unless somebody else has made it anew', async () => {
    const old = (name: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: NAMESPACE },
      data: { a: name },
    });
    for (const name of ['left-behind', 'foreign']) {
      const manager = name === 'foreign' ? 'somebody' : 'fairlead';
      const path = `${own(`configmaps/${name}`)}?fieldManager=${manager}&force=true`;
      await api.admin.request(path, { method: 'PATCH', body: old(name), contentType: 'application/apply-patch+yaml' });
    }
    const inventory = (await read(own('configmaps/fairlead-inventory'))) as KubeObject;
    const { objects = '' } = inventory['data'] as Record<string, string>;
    const lines = ['left-behind', 'foreign'].map((name) =>
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE, name }),
    );
    await merge(own('configmaps/fairlead-inventory'), { data: { objects: [objects, ...lines].join('\n'), version: '0.0.9' } }, 'fairlead');
    const { err } = await done('upgrade', '--yes', '--no-wait');
    assert.match(err, /from version 0\.0\.9 to /);
    assert.match(err, /- delete {2}ConfigMap fairlead-system\/left-behind\n/);
    assert.match(err, /keep {4}ConfigMap fairlead-system\/foreign {2}\(it was made anew by somebody else\)/);
    assert.is(await read(own('configmaps/left-behind')), undefined);
    assert.ok(await read(own('configmaps/foreign')));
    await api.remove(old('foreign'));
  });

  test('a gateway that is taken out of the settings goes', async () => {
    await done('upgrade', '--yes', '--no-wait', '--set', 'gateways.egress={}');
    assert.ok(await read(at('egress')));
    const { err } = await done('upgrade', '--yes', '--no-wait', '--set', 'gateways.egress=null');
    assert.match(err, /- delete {2}Deployment fairlead-system\/egress\n/);
    assert.is(await read(at('egress')), undefined);
    assert.is(await read(own('services/egress')), undefined);
  });

  test('a revision stands beside it, behind the same Service', async () => {
    const elsewhere = await run('install', '--revision', 'canary', '--namespace', 'other', '--yes');
    assert.match(elsewhere.err, /there is none in other/);
    const { err } = await done('install', '--revision', 'canary', '--yes', '--no-wait');
    assert.not.match(err, /create {2}(Namespace|CustomResourceDefinition|PersistentVolumeClaim|Service \S+gateway) /);
    assert.match(err, /create {2}DaemonSet fairlead-system\/fairlead-agent-canary/);
    const labels = ((await read(at('ingressgateway-canary')))!['spec'] as { template: { metadata: { labels: Record<string, string> } } })
      .template.metadata.labels;
    const { selector } = (await read(own('services/ingressgateway')))!['spec'] as { selector: Record<string, string> };
    for (const [name, value] of Object.entries(selector)) assert.is(labels[name], value);
    assert.is(labels['istio.io/rev'], 'canary');
    assert.match((await run('uninstall', '--yes')).err, /revision canary needs this installation’s CA/);
    // Both are as they were.
    assert.match((await done('upgrade', '--yes', '--no-wait')).err, new RegExp(`${COUNT} objects stay|${COUNT - 1} objects stay`));
    await done('uninstall', '--revision', 'canary', '--yes');
    assert.is(await read(at('ingressgateway-canary')), undefined);
    assert.ok(await read(at('ingressgateway')));
  });

  test('who may not make everything is told before', async () => {
    await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'nobody', namespace: 'default' } });
    const kubeconfig = api.kubeconfigFor('nobody', await tokenOf(api, 'default', 'nobody'));
    const { code, out } = await fairlead(['install', '--pre', '--namespace', 'other'], { env: { KUBECONFIG: kubeconfig } });
    assert.is(code, 1);
    assert.match(out, /create customresourcedefinitions\.apiextensions\.k8s\.io/);
  });

  test('uninstall takes what was made, keeps definitions and keys, and can be undone', async () => {
    await api.create(namespaceOf('shop'));
    await api.create(routeOf('reviews', 'shop', 'v1'));
    const { err } = await done('uninstall', '--yes');
    assert.match(err, /keep {4}Secret fairlead-system\/fairlead-ca-state {2}\(the CA’s keys are in it; --purge removes it\)/);
    assert.is(await read(at('ingressgateway')), undefined);
    assert.is(await read('/apis/rbac.authorization.k8s.io/v1/clusterroles/fairlead-ca-fairlead-system'), undefined);
    assert.ok(await read(own('secrets/fairlead-ca-state')));
    assert.match((await run('uninstall', '--yes')).err, /--purge removes that too/);
    await done('install', '--yes', '--no-wait');
    assert.ok(await read(at('ingressgateway')));
    await done('uninstall', '--yes');
  });

  test('--purge keeps definitions that have objects, and a namespace with something else in it', async () => {
    await api.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'notes', namespace: NAMESPACE } });
    const { err } = await done('uninstall', '--purge', '--yes');
    assert.match(
      err,
      /keep {4}CustomResourceDefinition virtualservices\.networking\.istio\.io {2}\(1 object would go with it; --purge-objects removes them too\)/,
    );
    assert.match(err, /keep +Namespace fairlead-system {2}\(the inventory of what is kept is in it\)/);
    assert.ok(await read('/apis/networking.istio.io/v1/namespaces/shop/virtualservices/reviews'));
    await until(
      'the other definitions are gone',
      async () => (await definitions()) === 'sidecars.networking.istio.io,virtualservices.networking.istio.io',
    );
  });

  test('--purge-objects leaves nothing but what was there before', async () => {
    const { err } = await done('uninstall', '--purge', '--purge-objects', '--yes');
    assert.match(err, /release +Namespace fairlead-system {2}\(there are other objects in it: ConfigMap notes\)/);
    await until('the definitions are gone', async () => (await definitions()) === 'sidecars.networking.istio.io');
    const { labels = {} } = (await read(`/api/v1/namespaces/${NAMESPACE}`))!.metadata as unknown as { labels?: Record<string, string> };
    assert.equal(labels, { 'kubernetes.io/metadata.name': NAMESPACE });
    for (const path of [
      '/apis/rbac.authorization.k8s.io/v1/clusterroles',
      '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
      own('configmaps'),
      own('services'),
      own('serviceaccounts'),
    ]) {
      const { items: left } = (await api.admin.request(path)) as { items: KubeObject[] };
      assert.equal(
        left.filter(({ metadata }) => metadata.name.includes('fairlead')).map(({ metadata }) => metadata.name),
        [],
      );
    }
    assert.match((await run('uninstall', '--purge', '--yes')).err, /nothing is installed in fairlead-system/);
  });

  test('an installation that was killed half-way can be finished, and a namespace of its own goes too', async () => {
    const killed = startFairlead(['install', '--namespace', 'mesh-two', '--profile', 'minimal', '--yes', '--no-wait'], {
      KUBECONFIG: api.kubeconfig,
    });
    await until('it is half done', () => /created ServiceAccount/.test(killed.err()));
    killed.child.kill('SIGKILL');
    await killed.ended;
    await done('upgrade', '--namespace', 'mesh-two', '--yes', '--no-wait');
    assert.is((await done('manifest', 'diff', '--namespace', 'mesh-two', '--profile', 'minimal')).out, '');
    await done('uninstall', '--namespace', 'mesh-two', '--purge', '--yes');
    const namespace = await read('/api/v1/namespaces/mesh-two');
    // A controller would finish it.
    assert.ok(namespace === undefined || namespace.metadata['deletionTimestamp'] !== undefined);
  });
}

test.run();
