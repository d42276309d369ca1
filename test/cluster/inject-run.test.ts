/** What is injected really runs: the API server asks the installed server of webhooks, and the sidecar that it gets runs with its own command line, as its pod's account. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as requestTls } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isForbidden } from '../../src/kubernetes/api-error.ts';
import { readCertificates } from '../../src/pki/certificate.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { createRequest } from '../../src/pki/request.ts';
import { fairlead, type Running } from '../support/cli.ts';
import { namespaceOf, ownAddress, routeOf, serviceOf, sliceOf, until } from '../support/cluster-objects.ts';
import { readiness, startBackend } from '../support/cluster-traffic.ts';
import { type Container, startContainer } from '../support/containers.ts';
import { freePorts } from '../support/free-ports.ts';
import { get as getBy } from '../support/http-proxy.ts';
import { clientOf, collectionOf, type KubeObject, startKubeApi } from '../support/kube-api.ts';

const SYSTEM = 'fairlead-system';
const SETTINGS = ['profile=minimal', 'injection.agent=pod', 'injection.namespaces=[shop]', 'injection.engine=embedded'].flatMap((set) => [
  '--set',
  set,
]);
const started = await startKubeApi();
const address = ownAddress();
if ('missing' in started || address === undefined) {
  console.log(`SKIP running sidecars: ${'missing' in started ? started.missing : 'this machine has no address but loopback ones'}`);
  if (!('missing' in started)) await started.stop();
  test('nothing to run them on', () => undefined);
} else {
  const api = started;
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const [caPort, webhookPort, apiPort, metricsPort, proxyPort] = (await freePorts(5)) as [number, number, number, number, number];
  const [peerPort] = (await freePorts(1)) as [number];
  const backend = await startBackend('catalog');
  const running: Running[] = [];
  let sidecar: Running | undefined;
  let pod: KubeObject;

  test.after(async () => {
    for (const { child, ended } of running.reverse()) {
      child.kill('SIGTERM');
      await ended;
    }
    backend.server.close();
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const read = (path: string): Promise<KubeObject> => api.admin.request(path) as Promise<KubeObject>;
  const merge = (path: string, body: object): Promise<unknown> =>
    api.admin.request(path, { method: 'PATCH', body, contentType: 'application/merge-patch+json' });
  const tokenOf = async (namespace: string, account: string, audiences?: string[]): Promise<string> => {
    const { status } = (await api.admin.request(`/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, {
      method: 'POST',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: audiences ? { audiences } : {} },
    })) as { status: { token: string } };
    return status.token;
  };
  const as = async (namespace: string, account: string): Promise<string> =>
    api.kubeconfigFor(`${namespace}-${account}`, await tokenOf(namespace, account));
  const containersOf = async (name: string): Promise<PodSpec> =>
    ((await read(`/apis/apps/v1/namespaces/${SYSTEM}/deployments/${name}`))['spec'] as { template: { spec: PodSpec } }).template.spec;
  /** What stands for the paths and ports of a container. */
  const placesOf = (name: string): Record<string, string> => ({
    '/var/lib/fairlead-ca': join(folder, name, 'ca'),
    '/var/lib/fairlead': join(folder, name, 'data'),
    '/var/run/secrets/fairlead': join(folder, name),
    '/etc/fairlead': join(folder, name, 'settings'),
    '/tmp': join(folder, name, 'tmp'),
    '15012': String(caPort),
    '15013': String(peerPort),
    'status.podIP': '127.0.0.1',
    '15017': String(webhookPort),
    '15000': String(apiPort),
    [`fairlead-ca.${SYSTEM}.svc:15012`]: `localhost:${caPort}`,
  });
  const file = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const roots = async (): Promise<string | undefined> =>
    ((await read(`/api/v1/namespaces/${SYSTEM}/configmaps/fairlead-ca-roots`))['data'] as Record<string, string> | undefined)?.[
      'root-cert.pem'
    ];
  const orLog = (one: Running) => (error: Error) => {
    throw new Error(`${error.message}\n${one.err()}`);
  };

  test('an installation whose namespaces are named is made, and its CA runs', async () => {
    const { code, err } = await fairlead(['install', ...SETTINGS, '--yes', '--no-wait'], { env: { KUBECONFIG: api.kubeconfig } });
    assert.is(code, 0, err);
    const { initContainers = [], containers } = await containersOf('fairlead-ca');
    const kubeconfig = await as(SYSTEM, 'fairlead-ca');
    assert.is(await startContainer(initContainers[0] as Container, placesOf('ca'), kubeconfig).ended, 0);
    const ca = startContainer(containers[0] as Container, placesOf('ca'), kubeconfig);
    running.push(ca);
    await until('the roots are published', async () => (await roots()) !== undefined, 30_000).catch(orLog(ca));
  });

  test('the server of webhooks joins the CA, and the API server asks it by the name of its Service', async () => {
    const { containers } = await containersOf('fairlead-webhook');
    const { data } = await read(`/api/v1/namespaces/${SYSTEM}/configmaps/fairlead-webhook`);
    file('webhook/settings/settings.yaml', (data as Record<string, string>)['settings.yaml'] as string);
    file('webhook/roots/root-cert.pem', (await roots()) as string);
    file('webhook/token/istio-token', await tokenOf(SYSTEM, 'fairlead-webhook', ['istio-ca']));
    const server = startContainer(containers[0] as Container, placesOf('webhook'), await as(SYSTEM, 'fairlead-webhook'));
    running.push(server);
    const configuration = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/fairlead-sidecar-injector';
    await until(
      'it has filled in the roots',
      async () => ((await read(configuration))['webhooks'] as Hook[]).every(({ clientConfig }) => clientConfig.caBundle),
      30_000,
    ).catch(orLog(server));
    const again = await fairlead(['manifest', 'diff', ...SETTINGS], { env: { KUBECONFIG: api.kubeconfig } });
    assert.is(again.code, 0, `the roots are no difference: ${again.out}${again.err}`);
    // No network of a cluster is here: the endpoint of the Service is this process.
    const slice = sliceOf('fairlead-webhook', SYSTEM, webhookPort, [address]);
    await api.create({ ...slice, ports: [{ name: 'https-webhook', port: webhookPort, protocol: 'TCP' }] });
    await api.create({ ...namespaceOf('shop'), metadata: { name: 'shop', labels: { 'istio-injection': 'enabled' } } });
    await api.create({ ...namespaceOf('other'), metadata: { name: 'other', labels: { 'istio-injection': 'enabled' } } });
    for (const namespace of ['shop', 'other'])
      await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web', namespace } });
    const object = (namespace: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'web-1',
        namespace,
        labels: { app: 'web' },
        annotations: { 'fairlead.dev/http-proxy-port': String(proxyPort), 'status.sidecar.istio.io/port': String(metricsPort) },
      },
      spec: { serviceAccountName: 'web', containers: [{ name: 'app', image: 'app:1' }] },
    });
    const isInjected = ({ metadata }: KubeObject): boolean => 'sidecar.istio.io/status' in (metadata['annotations'] as object);
    const tried = async (): Promise<KubeObject> =>
      (await api.admin.request(`${collectionOf(object('shop'))}?dryRun=All`, { method: 'POST', body: object('shop') })) as KubeObject;
    await until('a pod is injected', async () => isInjected(await tried())).catch(orLog(server));
    pod = await api.create(object('shop'));
    assert.ok(isInjected(pod));
    assert.not.ok(isInjected(await api.create(object('other'))), 'its accounts may not read the mesh');
  });

  test('`inject -k` makes the same of the pod’s file', async () => {
    const { name, namespace, labels, annotations } = pod.metadata as unknown as Meta;
    const plain = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace,
        labels: { app: labels['app'] },
        annotations: Object.fromEntries(
          ['fairlead.dev/http-proxy-port', 'status.sidecar.istio.io/port'].map((key) => [key, annotations[key]]),
        ),
      },
      spec: { serviceAccountName: 'web', containers: [{ name: 'app', image: 'app:1' }] },
    };
    const { code, out, err } = await fairlead(['inject', '-k', '-f', '-'], {
      input: JSON.stringify(plain),
      env: { KUBECONFIG: api.kubeconfig },
    });
    assert.is(code, 0, err);
    const offline = JSON.parse(out) as typeof plain & { metadata: Meta };
    assert.equal(offline.metadata.annotations, annotations);
    assert.equal(offline.metadata.labels, labels);
    const argsOf = (spec: unknown): unknown => (spec as PodSpec).initContainers?.[0]?.args;
    assert.equal(argsOf(offline.spec), argsOf(pod['spec']));
  });

  test('the sidecar joins the CA as its pod’s account, is ready when its pod is known, and carries the pod’s requests', async () => {
    const [proxy] = (pod['spec'] as PodSpec).initContainers as [Container];
    const { annotations } = pod.metadata as unknown as Meta;
    file('sidecar/roots/root-cert.pem', annotations['fairlead.dev/ca-roots'] as string);
    file('sidecar/token/istio-token', await tokenOf('shop', 'web', ['istio-ca']));
    const agent = startContainer(proxy, placesOf('sidecar'), await as('shop', 'web'));
    sidecar = agent;
    running.push(agent);
    const waiting = fairlead(['agent', 'ready', '--port', String(metricsPort), '--timeout', '60s']);
    await until('it answers', async () => (await readiness(metricsPort)) === 503, 30_000).catch(orLog(agent));
    await merge('/api/v1/namespaces/shop/pods/web-1/status', {
      status: { phase: 'Pending', podIP: address, podIPs: [{ ip: address }] },
    });
    await until('it is ready', async () => (await readiness(metricsPort)) === 200).catch(orLog(agent));
    assert.is((await waiting).code, 0, (await waiting).err);
    await api.create(serviceOf('catalog', 'shop', backend.port));
    await api.create(sliceOf('catalog', 'shop', backend.port, [address]));
    await api.create(serviceOf('orders', 'shop'));
    await api.create(routeOf('orders', 'shop', 'catalog'));
    const { env = [] } = (pod['spec'] as PodSpec).containers[0] as Container;
    const through = env.find(({ name }) => name === 'HTTP_PROXY')?.value as string;
    assert.is(through, `http://127.0.0.1:${proxyPort}`);
    await until(
      'its requests take the routes of the mesh',
      async () => (await getBy(Number(new URL(through).port), 'http://orders.shop/')) === 'catalog',
    ).catch(orLog(agent));
    const identity = join(folder, 'sidecar/data/agent/identity');
    const names = readdirSync(identity)
      .filter((name) => name.endsWith('.pem') && !name.startsWith('root'))
      .flatMap((name) => readCertificates(readFileSync(join(identity, name), 'utf8'))[0]?.sans.map(({ value }) => value) ?? []);
    assert.ok(names.length > 0);
    assert.equal([...new Set(names)], ['spiffe://cluster.local/ns/shop/sa/web']);
    // Secrets of other clusters are not for sidecars.
    assert.not.match(agent.err().replaceAll(/^.*istio\/multiCluster.*$/gm, ''), /not all of .* may be read|cannot (list|watch|get)/);
  });

  test('accounts of other namespaces may read nothing of the mesh; an agent that is not there is not ready', async () => {
    const other = clientOf(await as('other', 'web'));
    const error = await other.request('/api/v1/pods').catch((e: unknown) => e);
    other.close();
    assert.ok(isForbidden(error), String(error));
    const [unused] = await freePorts(1);
    const { code, err } = await fairlead(['agent', 'ready', '--port', String(unused), '--timeout', '300ms']);
    assert.is(code, 3);
    assert.match(err, /nobody listens there yet/);
  });

  test('`check-inject -k` says who gets one, and why not', async () => {
    const check = (...args: string[]) => fairlead(['check-inject', '-k', ...args], { env: { KUBECONFIG: api.kubeconfig } });
    const has = await check('web-1.shop');
    assert.is(has.code, 0, has.err);
    assert.match(has.out, /^Pod shop\/web-1 has or gets a sidecar: it has a sidecar already\n/);
    assert.match(has.out, /fairlead-sidecar-injector +default +yes +the namespace has istio-injection=enabled/);
    const closed = await check('pod/web-1.other');
    assert.is(closed.code, 1, closed.err);
    assert.match(
      closed.out,
      /gets no sidecar: its sidecar would read the mesh itself and may not: other is not among injection\.namespaces/,
    );
  });

  test('no account but the server’s gets its host name', async () => {
    const rootsFile = join(folder, 'webhook/roots/root-cert.pem');
    const sign = async (namespace: string, account: string, name: string): Promise<number | undefined> => {
      const key = await generateKey('ec-p256');
      const body = { csr: createRequest(key, []), identity: `spiffe://cluster.local/ns/${namespace}/sa/${account}`, dnsNames: [name] };
      return post(caPort, rootsFile, await tokenOf(namespace, account, ['istio-ca']), body);
    };
    const host = `fairlead-webhook.${SYSTEM}.svc`;
    assert.is(await sign(SYSTEM, 'fairlead-webhook', host), 200);
    assert.is(await sign(SYSTEM, 'fairlead-webhook', 'kubernetes.default.svc'), 403);
    assert.is(await sign('shop', 'web', host), 403);
    assert.is(await sign(SYSTEM, 'fairlead-ca', host), 403);
  });

  test('it ends as a pod’s sidecar does', async () => {
    assert.ok(sidecar);
    sidecar?.child.kill('SIGTERM');
    assert.is(await sidecar?.ended, 0, sidecar?.err());
  });

  test('an uninstall takes the webhooks with it', async () => {
    const { code, err } = await fairlead(['uninstall', '--yes'], { env: { KUBECONFIG: api.kubeconfig } });
    assert.is(code, 0, err);
    for (const kind of ['mutating', 'validating']) {
      const { items } = (await read(`/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations`)) as unknown as {
        items: KubeObject[];
      };
      assert.equal(
        items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('fairlead')),
        [],
      );
    }
  });
}

test.run();

interface PodSpec {
  initContainers?: Container[];
  containers: Container[];
}

interface Meta {
  name: string;
  namespace: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

interface Hook {
  clientConfig: { caBundle?: string };
}

/** The status of a request for a certificate. */
function post(port: number, ca: string, token: string, body: object): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const sent = requestTls({ host: 'localhost', port, path: '/v1/sign', method: 'POST', headers, ca: readFileSync(ca) }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
}
