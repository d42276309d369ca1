/** The webhooks, called by a real API server: pods get sidecars, wrong objects are refused, and nothing ever stands in the way. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { initCa } from '../../agent/ca.ts';
import { autoRotate } from '../../agent/ca-rotate.ts';
import { createLog } from '../../agent/log.ts';
import { startWebhooks, type Webhooks, webhookIdentity } from '../../agent/webhook-server.ts';
import { textFile } from '../../src/config/text-file.ts';
import { parseDocument } from '../../src/config/yaml/parse-document.ts';
import { splitDocuments } from '../../src/config/yaml/split-documents.ts';
import { injectPod } from '../../src/install/inject/inject-pod.ts';
import { injectText } from '../../src/install/inject/inject-text.ts';
import type { PodJson } from '../../src/install/inject/pod.ts';
import { mutatingWebhooks, validatingWebhooks, webhookNames } from '../../src/install/inject/webhooks.ts';
import { webhookAccess } from '../../src/install/objects/webhook-objects.ts';
import { resolveSettings } from '../../src/install/settings/resolve.ts';
import { isForbidden } from '../../src/kubernetes/api-error.ts';
import { createDefinitions, namespaceOf, routeOf, until } from '../support/cluster-objects.ts';
import { injectSettings, readGoldens } from '../support/inject.ts';
import { clientOf, collectionOf, type KubeObject, startKubeApi, tokenOf } from '../support/kube-api.ts';

const started = await startKubeApi();
if ('missing' in started) {
  console.log(`SKIP webhooks on a cluster: ${started.missing}`);
  test('nothing to run them on', () => undefined);
} else {
  const api = started;
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const authority = join(folder, 'ca');
  const names = webhookNames('');
  const settings = resolveSettings({}, { revision: '', version: '1.2.3' });
  const logged: string[] = [];
  const log = createLog('text', 'info', (line) => void logged.push(line));
  let webhooks: Webhooks | undefined;
  let client: ReturnType<typeof clientOf>;

  test.after(async () => {
    await webhooks?.close();
    client?.close();
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const serve = (port: number): Promise<Webhooks> =>
    startWebhooks({
      host: '127.0.0.1',
      port,
      settings: injectSettings,
      client,
      configurations: { mutating: [names.injector], validating: [names.validator] },
      ca: { directory: authority, passphrase: undefined },
      certificateLifeMs: 8000,
      trustDomain: 'cluster.local',
      identity: webhookIdentity('cluster.local', settings),
      dnsNames: ['localhost'],
      dataDirectory: join(folder, 'webhook'),
      log,
      timing: { look: 100, report: 300, settle: 1500 },
    });
  const configuration = (kind: string, name: string, hooks: object[]): KubeObject => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name },
    webhooks: hooks,
  });
  const url = (): string => `https://localhost:${webhooks?.port}`;
  const injector = (): KubeObject => configuration('MutatingWebhookConfiguration', names.injector, mutatingWebhooks('', { url: url() }));
  const validator = (): KubeObject =>
    configuration('ValidatingWebhookConfiguration', names.validator, validatingWebhooks('', { url: url() }));
  const bundles = async (): Promise<string[]> => {
    const all = await Promise.all(
      [injector(), validator()].map(async (object) => {
        const { webhooks: hooks } = (await api.admin.request(`${collectionOf(object)}/${object.metadata.name}`)) as { webhooks: Hook[] };
        return hooks.map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString());
      }),
    );
    return all.flat();
  };
  const rootsIn = (pem: string): number => pem.split('BEGIN CERTIFICATE').length - 1;
  const pod = (name: string, namespace: string, more: { labels?: object; annotations?: object; spec?: object } = {}): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name, ...more.labels }, annotations: { ...more.annotations } },
    spec: { ...ACCOUNT, containers: [{ name: 'app', image: 'app:1', ports: [{ containerPort: 8080 }] }], ...more.spec },
  });
  const isInjected = ({ metadata, spec }: KubeObject): boolean =>
    'sidecar.istio.io/status' in ((metadata['annotations'] ?? {}) as object) &&
    ((spec as Spec).initContainers ?? []).some(({ name, restartPolicy }) => name === 'istio-proxy' && restartPolicy === 'Always');
  const wrongRoute = (name: string): KubeObject => ({
    ...routeOf(name, 'shop', name),
    spec: { hosts: [name], http: [{ match: [{ uri: { regex: '(' } }], route: [{ destination: { host: name } }] }] },
  });

  test('the server fills in the CA’s roots, as an account that may do nothing else', async () => {
    await initCa(authority, {
      trustDomain: 'cluster.local',
      algorithm: 'ec-p256',
      rootLifeMs: 30 * 86_400_000,
      intermediateLifeMs: 30 * 86_400_000,
      passphrase: undefined,
    });
    await createDefinitions(api);
    await api.create(namespaceOf('fairlead-system'));
    for (const [name, labels] of Object.entries({
      shop: { 'istio-injection': 'enabled' },
      plain: {},
      canary: { 'istio.io/rev': 'default' },
      other: { 'istio.io/rev': 'other' },
    }))
      await api.create({ ...namespaceOf(name), metadata: { name, labels } });
    await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'fairlead-webhook', namespace: 'fairlead-system' } });
    for (const object of webhookAccess(settings, '1.2.3')) await api.create(object as unknown as KubeObject);
    client = clientOf(api.kubeconfigFor('webhook', await tokenOf(api, 'fairlead-system', 'fairlead-webhook')));
    webhooks = await serve(0);
    await api.create(injector());
    await api.create(validator());
    await until('the roots are in all webhooks', async () => (await bundles()).every((pem) => rootsIn(pem) === 1));
    await client.request('/api/v1/namespaces/shop/pods').then(
      () => assert.unreachable('it may not read pods'),
      (error: unknown) => assert.ok(isForbidden(error)),
    );
  });

  test('pods get sidecars by labels of their namespace or of their own, and the API server takes them', async () => {
    await until('a pod is injected', async () => isInjected(await dryRun(pod('probe', 'shop'))));
    assert.ok(isInjected(await api.create(pod('web', 'shop'))));
    assert.ok(isInjected(await api.create(pod('web', 'canary'))));
    assert.ok(isInjected(await api.create(pod('asked', 'plain', { labels: { 'sidecar.istio.io/inject': 'true' } }))));
    for (const [name, namespace, more] of [
      ['out', 'shop', { labels: { 'sidecar.istio.io/inject': 'false' } }],
      ['annotated', 'shop', { annotations: { 'sidecar.istio.io/inject': 'false' } }],
      ['node', 'shop', { spec: { hostNetwork: true, containers: [{ name: 'app', image: 'app:1' }] } }],
      ['web', 'plain', {}],
      ['web', 'other', {}],
    ] as const)
      assert.not.ok(isInjected(await api.create(pod(name, namespace, more))), `${namespace}/${name}`);
  });

  test('what cannot be injected runs without', async () => {
    const captured = await api.create(pod('captured', 'shop', { annotations: { 'sidecar.istio.io/interceptionMode': 'REDIRECT' } }));
    assert.not.ok(isInjected(captured));
  });

  test('every injected example passes the API server', async () => {
    let count = 0;
    for (const { name, input } of readGoldens()) {
      const { text, problems } = await injectText(textFile(name, input), 'plain', injectSettings);
      if (problems.some(({ severity }) => severity === 'error')) continue;
      for (const object of objectsOf(text)) {
        if (object.kind === 'Namespace') continue;
        const { namespace = 'plain' } = object.metadata;
        if (namespace !== 'plain') continue;
        const account = object.kind === 'Pod' ? { spec: { ...ACCOUNT, ...(object['spec'] as object) } } : {};
        await dryRun({ ...object, ...account, metadata: { ...object.metadata, namespace } });
        count++;
      }
    }
    assert.ok(count >= 12, `${count} objects`);
  });

  test('a pod whose connections are redirected passes the API server, where Pod Security lets it', async () => {
    const probe = { httpGet: { path: '/', port: 8080 } };
    const asked = pod('redirected', 'plain', {
      spec: { ...ACCOUNT, containers: [{ name: 'app', image: 'app:1', readinessProbe: probe }] },
    });
    const settings = { ...injectSettings, engine: 'envoy' as const, capture: 'redirect' as const };
    const made = injectPod(asked as unknown as PodJson, { namespace: 'plain', strict: false }, settings);
    assert.ok(made.injected);
    await dryRun(made.pod as KubeObject);
  });

  test('a wrong object is refused with what is wrong; a right one is not', async () => {
    await api.create(wrongRoute('wrong')).then(
      () => assert.unreachable('it is wrong'),
      (error: Error) => {
        assert.match(
          error.message,
          /denied the request: VirtualService shop\/wrong is not valid: spec\.http\[0\]\.match\[0\]\.uri\.regex: /,
        );
      },
    );
    await api.create(routeOf('right', 'shop', 'right'));
    await assertRefused(api.patch(routeOf('right', 'shop', 'right'), { spec: wrongRoute('right')['spec'] as object }));
  });

  test('certificates and the root change under load, and every pod is injected', async () => {
    const before = await bundles();
    let running = true;
    let pods = 0;
    const missed: number[] = [];
    const load = (async () => {
      while (running) {
        if (!isInjected(await dryRun(pod(`load-${pods}`, 'shop')))) missed.push(pods);
        pods++;
      }
    })();
    const first = shownCount();
    try {
      await until('two renewals', () => shownCount() >= first + 2, 30_000);
      const steps = await autoRotate(authority, { deadlineMs: 60_000, everyMs: 100, done: () => undefined, waiting: () => undefined });
      assert.equal(
        steps.map(({ step }) => step),
        ['prepare', 'activate', 'taint', 'revoke'],
      );
      await until(
        'only the new root is left',
        async () => (await bundles()).every((pem) => rootsIn(pem) === 1 && !before.includes(pem)),
        30_000,
      );
    } finally {
      running = false;
      await load;
    }
    assert.ok(pods > 0);
    console.log(`${pods} pods while ${shownCount() - first} certificates and a whole root were exchanged`);
    assert.equal(missed, [], logged.join(''));
  });

  test('a bundle that somebody takes out comes back; whoever applies the configuration leaves it alone', async () => {
    const object = injector();
    const path = `${collectionOf(object)}/${object.metadata.name}`;
    const apply = '?fieldManager=fairlead&force=true';
    await api.admin.request(path + apply, { method: 'PATCH', body: object, contentType: 'application/apply-patch+yaml' });
    assert.ok((await bundles()).every((pem) => rootsIn(pem) === 1));
    const { metadata } = (await api.admin.request(path)) as KubeObject;
    const body = { ...object, metadata: { ...object.metadata, resourceVersion: metadata['resourceVersion'] } };
    await api.admin.request(path, { method: 'PUT', body });
    await until('the roots are back', async () => (await bundles()).every((pem) => rootsIn(pem) === 1));
    await until('pods are injected', async () => isInjected(await dryRun(pod('again', 'shop'))));
  });

  test('when nobody answers, pods and objects are created all the same', async () => {
    const { port } = webhooks as Webhooks;
    await webhooks?.close();
    webhooks = undefined;
    assert.not.ok(isInjected(await api.create(pod('alone', 'shop'))));
    await api.create(wrongRoute('unchecked'));
    // One that is wrong already can be changed otherwise, and go.
    webhooks = await serve(port);
    await until('it is back', async () => isInjected(await dryRun(pod('back', 'shop'))));
    await assertRefused(api.create(wrongRoute('checked')));
    await api.patch(wrongRoute('unchecked'), { metadata: { labels: { team: 'a' } } });
    await api.remove(wrongRoute('unchecked'));
  });

  const shownCount = (): number => logged.filter((line) => line.includes('a certificate is shown')).length;
  const dryRun = (object: KubeObject): Promise<KubeObject> =>
    api.admin.request(`${collectionOf(object)}?dryRun=All&fieldValidation=Strict`, { method: 'POST', body: object }) as Promise<KubeObject>;
  const assertRefused = (asked: Promise<unknown>): Promise<void> =>
    asked.then(
      () => assert.unreachable('it is wrong'),
      (error: Error) => assert.match(error.message, /is not valid/),
    );
}

/** What a plugin of the API server's sets, which tests do without. */
const ACCOUNT = { serviceAccountName: 'default' };

interface Spec {
  initContainers?: { name: string; restartPolicy?: string }[];
}

interface Hook {
  clientConfig: { caBundle?: string };
}

function objectsOf(text: string): KubeObject[] {
  return splitDocuments(text).flatMap(({ start, end }) => {
    const read = parseDocument(text.slice(start, end));
    if (!read.ok || read.value === null) return [];
    const value = read.value as KubeObject & { items?: KubeObject[] };
    return value.items ?? [value];
  });
}

test.run();
