/** The agent of a node as it is installed, and a sidecar as it is injected: their own command lines as processes; the sidecar has no way to the API server. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead, type Running } from '../support/cli.ts';
import { namespaceOf, ownAddress, routeOf, serviceOf, sliceOf, until } from '../support/cluster-objects.ts';
import { readiness, startBackend } from '../support/cluster-traffic.ts';
import { type Container, startContainer } from '../support/containers.ts';
import { freePorts } from '../support/free-ports.ts';
import { get as getBy } from '../support/http-proxy.ts';
import { type KubeObject, startKubeApi } from '../support/kube-api.ts';

const SYSTEM = 'fairlead-system';
const NODE = 'one';
const SETTINGS = ['profile=minimal', 'injection.enabled=true', 'injection.engine=embedded'].flatMap((set) => ['--set', set]);
const started = await startKubeApi();
const address = ownAddress();
if ('missing' in started || address === undefined) {
  console.log(`SKIP an installed node: ${'missing' in started ? started.missing : 'this machine has no address but loopback ones'}`);
  if (!('missing' in started)) await started.stop();
  test('nothing to run it on', () => undefined);
} else {
  const api = started;
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const [caPort, agentMetrics, agentApi, sidecarMetrics, sidecarApi, proxyPort] = (await freePorts(6)) as [
    ...[number, number, number],
    ...[number, number, number],
  ];
  const backend = await startBackend('catalog');
  const running: Running[] = [];
  let agent: Running;
  let pod: KubeObject;
  let sidecar: Running;

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
  /** As kubelet gets it: bound to the pod. */
  const tokenFor = async (account: string, of: KubeObject, audiences?: string[]): Promise<string> => {
    const { namespace, name, uid } = of.metadata;
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name, uid };
    const { status } = (await api.admin.request(`/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, {
      method: 'POST',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { boundObjectRef, ...(audiences === undefined ? {} : { audiences }) },
      },
    })) as { status: { token: string } };
    return status.token;
  };
  const templateOf = async (kind: string, name: string): Promise<{ metadata: object; spec: PodSpec }> =>
    ((await read(`/apis/apps/v1/namespaces/${SYSTEM}/${kind}/${name}`))['spec'] as { template: { metadata: object; spec: PodSpec } })
      .template;
  /** A pod as a controller makes it, on the node. */
  const podOf = async (name: string, template: { metadata: object; spec: PodSpec }): Promise<KubeObject> =>
    api.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...template.metadata, name, namespace: SYSTEM },
      spec: { ...template.spec, nodeName: NODE },
    });
  const placesOf = (name: string, more: Record<string, string>): Record<string, string> => ({
    '/var/lib/fairlead-ca': join(folder, name, 'ca'),
    '/var/lib/fairlead': join(folder, name, 'data'),
    '/var/run/secrets/fairlead': join(folder, name),
    // The same folder of the node in both pods.
    '/var/run/fairlead/agent': join(folder, 'node'),
    'unix:/var/run/fairlead/agent': `unix:${join(folder, 'node')}`,
    '/tmp': join(folder, name, 'tmp'),
    'spec.nodeName': NODE,
    'metadata.namespace': SYSTEM,
    ...more,
  });
  const file = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const published = async (): Promise<Record<string, string>> =>
    ((await read(`/api/v1/namespaces/${SYSTEM}/configmaps/fairlead-ca-roots`))['data'] ?? {}) as Record<string, string>;
  const soon = (what: string, condition: () => Promise<boolean>, ...whose: Running[]): Promise<number> =>
    until(what, condition, 60_000).catch((error: Error) => {
      throw new Error([error.message, ...whose.map((one) => one.err())].join('\n'));
    });

  test('an installation is made, and its CA runs', async () => {
    await api.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } });
    const { code, err } = await fairlead(['install', ...SETTINGS, '--yes', '--no-wait'], { env: { KUBECONFIG: api.kubeconfig } });
    assert.is(code, 0, err);
    const template = await templateOf('deployments', 'fairlead-ca');
    const own = await podOf('fairlead-ca-1', template);
    const kubeconfig = api.kubeconfigFor('ca', await tokenFor('fairlead-ca', own));
    const places = placesOf('ca', {
      '15012': String(caPort),
      'metadata.name': own.metadata.name,
      'metadata.uid': String(own.metadata['uid']),
    });
    for (const container of template.spec.initContainers ?? [])
      assert.is(await startContainer(container, places, kubeconfig).ended, 0, container.name);
    const ca = startContainer(template.spec.containers[0] as Container, places, kubeconfig);
    running.push(ca);
    await soon('the roots are published', async () => (await published())['root-cert.pem'] !== undefined, ca);
  });

  test('the agent of the node is ready, as its own account', async () => {
    const template = await templateOf('daemonsets', 'fairlead-agent');
    const own = await podOf('fairlead-agent-1', template);
    for (const [name, text] of Object.entries(await published())) file(`agent/roots/${name}`, text);
    const kubeconfig = api.kubeconfigFor('agent', await tokenFor('fairlead-agent', own));
    const places = placesOf('agent', {
      '15000': String(agentApi),
      '15020': String(agentMetrics),
      'metadata.name': own.metadata.name,
      'metadata.uid': String(own.metadata['uid']),
    });
    mkdirSync(join(folder, 'node'), { recursive: true });
    agent = startContainer(template.spec.containers[0] as Container, places, kubeconfig);
    running.push(agent);
    await soon('it is ready', async () => (await readiness(agentMetrics)) === 200, agent);
  });

  test('a sidecar gets its configuration and certificate from it, and carries requests, with no way to the API server', async () => {
    await api.create({ ...namespaceOf('shop'), metadata: { name: 'shop', labels: { 'istio-injection': 'enabled' } } });
    await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web', namespace: 'shop' } });
    const plain = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'web-1',
        namespace: 'shop',
        labels: { app: 'web' },
        annotations: { 'fairlead.dev/http-proxy-port': String(proxyPort), 'status.sidecar.istio.io/port': String(sidecarMetrics) },
      },
      spec: { serviceAccountName: 'web', nodeName: NODE, containers: [{ name: 'app', image: 'app:1' }] },
    };
    const { code, out, err } = await fairlead(['inject', '-k', '-f', '-'], {
      input: JSON.stringify(plain),
      env: { KUBECONFIG: api.kubeconfig },
    });
    assert.is(code, 0, err);
    pod = await api.create(JSON.parse(out) as KubeObject);
    await merge('/api/v1/namespaces/shop/pods/web-1/status', { status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }] } });
    await api.create(serviceOf('catalog', 'shop', backend.port));
    await api.create(sliceOf('catalog', 'shop', backend.port, [address]));
    await api.create(serviceOf('orders', 'shop'));
    await api.create(routeOf('orders', 'shop', 'catalog'));
    const [proxy] = (pod['spec'] as PodSpec).initContainers as [Container];
    file('sidecar/token/agent-token', await tokenFor('web', pod, ['fairlead-agent']));
    sidecar = startContainer(proxy, placesOf('sidecar', { '15000': String(sidecarApi) }), join(folder, 'no-kubeconfig'));
    running.push(sidecar);
    await soon('it is ready', async () => (await readiness(sidecarMetrics)) === 200, sidecar, agent);
    const through = `http://127.0.0.1:${proxyPort}`;
    await soon(
      'the pod’s requests take the routes of the mesh',
      async () => (await getBy(Number(new URL(through).port), 'http://orders.shop/')) === 'catalog',
      sidecar,
      agent,
    );
    const secrets = await fairlead(['agent', 'status', '-o', 'json', '--agent', `unix:${join(folder, 'sidecar/data/agent/agent.sock')}`]);
    assert.match(secrets.out, /spiffe:\/\/cluster\.local\/ns\/shop\/sa\/web/);
    // What it may not do, it does not try.
    for (const one of [agent, sidecar])
      assert.not.match(
        one.err().replaceAll(/^.*istio\/multiCluster.*$/gm, ''),
        /forbidden|cannot (list|watch|get|create|patch)|not all of .* may be read/i,
      );
  });

  test('`check-inject -k` says who reads the mesh for it', async () => {
    const { code, out, err } = await fairlead(['check-inject', '-k', 'web-1.shop'], { env: { KUBECONFIG: api.kubeconfig } });
    assert.is(code, 0, err);
    assert.match(out, /\nthe agent of its node reads the mesh for it: it was injected so\n/);
  });

  test('status is written: the agent reports in the ConfigMap of its pod', async () => {
    const path = `/api/v1/namespaces/${SYSTEM}/configmaps/fairlead-status-fairlead-agent-1`;
    await soon(
      'the report is there',
      async () =>
        api.admin.request(path).then(
          () => true,
          () => false,
        ),
      agent,
    );
  });

  test('while the agent is away the sidecar runs on', async () => {
    agent.child.kill('SIGKILL');
    await agent.ended;
    running.splice(running.indexOf(agent), 1);
    assert.is(await getBy(proxyPort, 'http://orders.shop/'), 'catalog');
    assert.is(await readiness(sidecarMetrics), 200);
  });
}

test.run();

interface PodSpec {
  initContainers?: Container[];
  containers: Container[];
}
