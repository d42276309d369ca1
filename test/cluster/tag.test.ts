/** Revision tags on a real API server: two revisions side by side, namespaces that follow a tag, and webhooks that are called by it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { initCa } from '../../agent/ca.ts';
import { autoRotate } from '../../agent/ca-rotate.ts';
import { createLog } from '../../agent/log.ts';
import { startWebhooks, type Webhooks, webhookIdentity } from '../../agent/webhook-server.ts';
import { injectSettingsOf } from '../../src/install/inject/from-settings.ts';
import { webhookHost, webhookNames, webhookServer } from '../../src/install/inject/webhooks.ts';
import { resolveSettings } from '../../src/install/settings/resolve.ts';
import { isForbidden } from '../../src/kubernetes/api-error.ts';
import { fairlead, type Ran } from '../support/cli.ts';
import { namespaceOf, ownAddress, until } from '../support/cluster-objects.ts';
import { clientOf, collectionOf, type KubeObject, startKubeApi, tokenOf } from '../support/kube-api.ts';

const NAMESPACE = 'fairlead-system';
const started = await startKubeApi();
const address = ownAddress();
if ('missing' in started || address === undefined) {
  console.log(`SKIP revision tags: ${'missing' in started ? started.missing : 'this machine has no address but loopback ones'}`);
  if (!('missing' in started)) await started.stop();
  test('nothing to run them on', () => undefined);
} else {
  const api = started;
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const authority = join(folder, 'ca');
  const logged: string[] = [];
  const servers = new Map<string, { webhooks: Webhooks; client: ReturnType<typeof clientOf> }>();

  test.after(async () => {
    for (const { webhooks, client } of servers.values()) {
      await webhooks.close();
      client.close();
    }
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (args: string): Promise<Ran> => fairlead(args.split(' '), { env: { KUBECONFIG: api.kubeconfig } });
  const done = async (args: string): Promise<Ran> => {
    const ran = await run(args);
    assert.is(ran.code, 0, `${args}\n${ran.out}\n${ran.err}`);
    return ran;
  };
  const fails = async (args: string, code: number, says: RegExp): Promise<void> => {
    const ran = await run(args);
    assert.is(ran.code, code, `${args}\n${ran.out}\n${ran.err}`);
    assert.match(ran.err, says);
    assert.not.match(ran.err, /\n\s+at /);
  };

  /** The server of a revision's webhooks, as its own service account, where the API server finds it. */
  async function serve(revision: string): Promise<void> {
    const settings = resolveSettings({ injection: { namespaces: ['*'] } }, { revision, version: '1.2.3' });
    const name = webhookServer(settings);
    const client = clientOf(api.kubeconfigFor(name, await tokenOf(api, NAMESPACE, name)));
    const { injector, validator } = webhookNames(revision);
    const webhooks = await startWebhooks({
      host: '0.0.0.0',
      port: 0,
      settings: injectSettingsOf(settings, ''),
      client,
      configurations: { mutating: [injector], validating: [validator], tagsOf: settings },
      ca: { directory: authority, passphrase: undefined },
      certificateLifeMs: 60_000,
      trustDomain: 'cluster.local',
      identity: webhookIdentity('cluster.local', settings),
      dnsNames: [webhookHost(settings)],
      dataDirectory: join(folder, name),
      log: createLog('text', 'info', (line) => void logged.push(`${name} ${line}`)),
      timing: { look: 100, report: 300, settle: 1500 },
    });
    servers.set(revision, { webhooks, client });
    const slice: KubeObject = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace: NAMESPACE, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'https-webhook', port: webhooks.port, protocol: 'TCP' }],
      endpoints: [{ addresses: [address as string], conditions: { ready: true } }],
    };
    await api.create(slice).catch(() => api.patch(slice, { ports: slice['ports'] }));
  }

  const pod = (name: string, namespace: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: { serviceAccountName: 'default', containers: [{ name: 'app', image: 'app:1', ports: [{ containerPort: 8080 }] }] },
  });
  /** The revision whose sidecar a pod gets; undefined: none. */
  const revisionOf = ({ metadata }: KubeObject): string | undefined =>
    'sidecar.istio.io/status' in ((metadata['annotations'] ?? {}) as object)
      ? (metadata['labels'] as Record<string, string>)['istio.io/rev']
      : undefined;
  let tries = 0;
  const tryPod = async (namespace: string): Promise<string | undefined> => {
    const object = pod(`try-${tries++}`, namespace);
    return revisionOf((await api.admin.request(`${collectionOf(object)}?dryRun=All`, { method: 'POST', body: object })) as KubeObject);
  };
  const follows = (namespace: string, revision: string | undefined): Promise<number> =>
    until(`pods of ${namespace} get sidecars of ${revision}`, async () => (await tryPod(namespace)) === revision).catch((error: Error) => {
      throw new Error(`${error.message}\n${logged.join('')}`);
    });
  const bundlesOf = async (name: string): Promise<string[]> => {
    const { webhooks } = (await api.admin.request(`/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${name}`)) as {
      webhooks: { clientConfig: { caBundle?: string } }[];
    };
    return webhooks.map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString());
  };

  test('two revisions side by side inject what names them', async () => {
    await initCa(authority, {
      ...{ trustDomain: 'cluster.local', algorithm: 'ec-p256', passphrase: undefined },
      ...{ rootLifeMs: 30 * 86_400_000, intermediateLifeMs: 30 * 86_400_000 },
    });
    await done('install --yes --no-wait --set injection.namespaces=["*"]');
    await done('install --revision canary --yes --no-wait --set injection.namespaces=["*"]');
    for (const [name, labels] of Object.entries({
      shop: { 'istio.io/rev': 'prod' },
      named: { 'istio.io/rev': 'canary' },
      plain: { 'istio-injection': 'enabled' },
      none: {},
    }))
      await api.create({ ...namespaceOf(name), metadata: { name, labels } });
    await serve('');
    await serve('canary');
    await follows('named', 'canary');
    await follows('plain', 'default');
    assert.is(await tryPod('shop'), undefined, 'nobody answers for prod yet');
    assert.is(await tryPod('none'), undefined);
  });

  test('a tag leads a namespace to a revision, and its server may write there and nowhere else', async () => {
    const tried = await done('tag set prod --revision default --dry-run');
    assert.match(tried.err, /\+ create {2}MutatingWebhookConfiguration fairlead-revision-tag-prod/);
    assert.match((await done('tag list')).out, /there are no revision tags/);
    const ran = await done('tag set prod --revision default');
    assert.match(ran.out, /^prod leads to revision default\nshop follows it; pods change when they are made anew: kubectl rollout restart/);
    await follows('shop', 'default');
    assert.match((await done('tag list')).out, /^TAG +REVISION +NAMESPACES\nprod +default +shop\s*$/);
    assert.equal(JSON.parse((await done('tag list -o json')).out), [{ tag: 'prod', revision: 'default', namespaces: ['shop'] }]);
    assert.match((await done('tag set prod --revision default')).err, /3 objects stay as they are/);
    const patch = (revision: string): Promise<unknown> =>
      servers
        .get(revision)!
        .client.request('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/fairlead-revision-tag-prod', {
          method: 'PATCH',
          body: { metadata: { labels: { x: 'y' } } },
          contentType: 'application/merge-patch+json',
        });
    await patch('');
    await patch('canary').then(
      () => assert.unreachable('it is not its tag'),
      (error: unknown) => assert.ok(isForbidden(error)),
    );
  });

  test('moving a tag moves the pods that come next, and those that run stay', async () => {
    const before = await api.create(pod('web', 'shop'));
    assert.is(revisionOf(before), 'default');
    await fails('tag set prod --revision canary', 3, /the tag prod leads to revision default[\s\S]*--overwrite moves it/);
    const moved = await done('tag set prod --revision canary --overwrite');
    assert.match(moved.out, /^prod leads to revision canary \(before: default\)/);
    await follows('shop', 'canary');
    assert.is(revisionOf((await api.admin.request('/api/v1/namespaces/shop/pods/web')) as KubeObject), 'default');
    assert.is(await tryPod('plain'), 'default', 'nothing else has moved');
    const checked = await run('check-inject -k -n shop web');
    assert.match(checked.out, /fairlead-revision-tag-prod +canary \(tag prod\) +yes +the namespace has istio\.io\/rev=prod/);
    assert.match(checked.out, /fairlead-sidecar-injector-canary +canary +no/);
  });

  test('the tag default has plain labels too; when its revision is away, the one before it answers', async () => {
    await fails('tag set default --revision default', 2, /answers for default as it is/);
    await done('tag set default --revision canary');
    await follows('plain', 'canary');
    const { webhooks, client } = servers.get('canary')!;
    await webhooks.close();
    client.close();
    await follows('plain', 'default');
    await serve('canary');
    await follows('plain', 'canary');
    const checked = await run('check-inject -k -n plain -o json');
    assert.is(checked.code, 2, 'there are no pods');
    await api.create(pod('web', 'plain'));
    assert.match(
      (await done('tag remove default --dry-run')).out,
      /plain follows default, and would get sidecars of the installation without a revision/,
    );
    await fails('tag remove default', 2, /plain follows default.*--yes/s);
    await done('tag remove default --yes');
    await follows('plain', 'default');
  });

  test('the CA’s roots follow in tags: a whole root is exchanged under load, and every pod is injected', async () => {
    const [before] = await bundlesOf('fairlead-revision-tag-prod');
    let running = true;
    let pods = 0;
    const missed: (string | undefined)[] = [];
    const load = (async () => {
      while (running) {
        const revision = await tryPod('shop');
        if (revision !== 'canary') missed.push(revision);
        pods++;
      }
    })();
    try {
      await autoRotate(authority, { deadlineMs: 90_000, everyMs: 100, done: () => undefined, waiting: () => undefined });
      await until(
        'only the new root is left',
        async () =>
          (await bundlesOf('fairlead-revision-tag-prod')).every((pem) => pem !== before && pem.split('BEGIN CERTIFICATE').length === 2),
        60_000,
      );
    } finally {
      running = false;
      await load;
    }
    assert.ok(pods > 0);
    console.log(`${pods} pods by a tag while a whole root was exchanged`);
    assert.equal(missed, [], logged.join(''));
  });

  test('what is printed can be applied by others, and the server fills in the roots', async () => {
    const { out } = await done('tag generate stage --revision canary');
    const objects = parseAllDocuments(out).map((document) => document.toJSON() as KubeObject);
    assert.is(objects.length, 3);
    for (const object of objects) await api.create(object);
    await until('the roots are there', async () => (await bundlesOf('fairlead-revision-tag-stage')).every((pem) => pem !== ''));
    await api.patch(namespaceOf('none'), { metadata: { labels: { 'istio.io/rev': 'stage' } } });
    await follows('none', 'canary');
    assert.match((await done('tag list')).out, /stage +canary +none/);
    for (const object of objects) await api.remove(object);
    await until('nobody answers', async () => (await tryPod('none')) === undefined);
  });

  test('names that others answer for, and revisions that are not there, are refused', async () => {
    await fails(
      'tag set prod --revision nobody --overwrite',
      3,
      /there is no revision nobody in fairlead-system[\s\S]*There are: default, canary/,
    );
    await fails('tag set canary --revision default', 3, /canary is the name of a revision/);
    await fails('tag set Prod --revision default', 2, /no name of a tag/);
    await fails('tag remove nothing', 3, /there is no tag nothing[\s\S]*There are: prod/);
    const istio: KubeObject = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: 'istio-revision-tag-beta', labels: { 'istio.io/tag': 'beta', 'istio.io/rev': '1-27-0' } },
    };
    await api.create(istio);
    await fails(
      'tag set beta --revision default',
      3,
      /somebody else’s injector answers for beta: MutatingWebhookConfiguration istio-revision-tag-beta/,
    );
    await api.remove(istio);
  });

  test('an upgrade makes the tags of its revision anew; an uninstall knows them', async () => {
    const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/fairlead-revision-tag-prod';
    await api.admin.request(`${path}?fieldManager=fairlead&force=true`, {
      method: 'PATCH',
      body: {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        metadata: {
          name: 'fairlead-revision-tag-prod',
          labels: {
            'istio.io/tag': 'prod',
            'istio.io/rev': 'canary',
            'app.kubernetes.io/managed-by': 'fairlead',
            'app.kubernetes.io/version': '0.0.1',
          },
        },
        webhooks: ((await api.admin.request(path)) as { webhooks: object[] }).webhooks,
      },
      contentType: 'application/apply-patch+yaml',
    });
    const inventory: KubeObject = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'fairlead-inventory-canary', namespace: NAMESPACE },
    };
    await api.patch(inventory, { data: { version: '0.0.1' } });
    assert.match(
      (await done('tag set prod --revision canary --dry-run')).err,
      /warning: revision canary is of fairlead 0\.0\.1, and this is/,
    );
    const { err } = await done('upgrade --revision canary --yes --no-wait');
    assert.match(err, /changed MutatingWebhookConfiguration fairlead-revision-tag-prod/);
    await follows('shop', 'canary');
    await fails(
      'uninstall --revision canary --yes',
      3,
      /the tag prod leads to revision canary[\s\S]*fairlead tag set prod --revision NAME --overwrite/,
    );
    await fails('tag remove prod', 2, /shop still follows prod: new pods there would get no sidecars.*--yes/s);
    await done('tag set prod --revision default --overwrite');
    await done('uninstall --revision canary --yes');
    await follows('shop', 'default');
    const gone = await done('uninstall --yes');
    assert.match(gone.err, /deleted MutatingWebhookConfiguration fairlead-revision-tag-prod/);
    for (const kind of ['clusterroles', 'clusterrolebindings'])
      await api.admin.request(`/apis/rbac.authorization.k8s.io/v1/${kind}/fairlead-revision-tag-prod`).then(
        () => assert.unreachable(`${kind} are left`),
        (error: Error) => assert.match(error.message, /not found/),
      );
    assert.is(await tryPod('shop'), undefined);
  });
}

test.run();
