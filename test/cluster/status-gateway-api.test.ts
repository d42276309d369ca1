/** The Gateway API on a real API server, with its own definitions and Istio's: real traffic through a Gateway, and the status that says so, by
 * an agent that may do what an installation lets it and no more. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { manifestsOf } from '../../src/install/manifests.ts';
import { resolveSettings } from '../../src/install/settings/resolve.ts';
import { type Running, startFairlead } from '../support/cli.ts';
import { namespaceOf, ownAddress, routeOf, serviceOf, sliceOf, until } from '../support/cluster-objects.ts';
import { freePort } from '../support/free-ports.ts';
import { collectionOf, type KubeObject, startKubeApi } from '../support/kube-api.ts';
import { applyDefinitions, gatewayApiDefinitions, istioDefinitions } from '../support/real-definitions.ts';

interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
  observedGeneration?: number;
}

const SYSTEM = 'fairlead-system';
/** What an installation gives its agents, and nothing else. */
const ACCESS = [
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
];
const OWN = 'fairlead.dev/gateway-controller';
const started = await startKubeApi();
const address = ownAddress();
const definitions = gatewayApiDefinitions();
const istio = istioDefinitions();
const missing =
  'missing' in started
    ? started.missing
    : 'missing' in definitions
      ? definitions.missing
      : 'missing' in istio
        ? istio.missing
        : address === undefined
          ? 'this machine has no address but loopback ones'
          : undefined;
if (missing !== undefined || 'missing' in started || 'missing' in definitions || 'missing' in istio || address === undefined) {
  console.log(`SKIP the Gateway API in a cluster: ${missing}`);
  if (!('missing' in started)) await started.stop();
  test('nothing to run it on', () => undefined);
} else {
  const api = started;
  const data = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const backend = createServer((_, answer) => answer.end('a')).listen(0, '0.0.0.0');
  await new Promise((resolve) => backend.once('listening', resolve));
  const { port: backendPort } = backend.address() as { port: number };
  const port = await freePort();
  let agent: Running | undefined;

  test.after(async () => {
    agent?.child.kill('SIGTERM');
    await agent?.ended;
    backend.close();
    await api.stop();
    rmSync(data, { recursive: true, force: true });
  });

  const object = (kind: string, name: string, spec: object, apiVersion = 'gateway.networking.k8s.io/v1'): KubeObject => ({
    apiVersion,
    kind,
    metadata: { name, ...(kind !== 'GatewayClass' && { namespace: 'shop' }) },
    spec,
  });
  const ownClass = object('GatewayClass', 'fairlead', { controllerName: OWN });
  const gateway = object('Gateway', 'web', {
    gatewayClassName: 'fairlead',
    listeners: [{ name: 'http', port, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }],
  });
  const route = (to: string): KubeObject =>
    object('HTTPRoute', 'shop', {
      parentRefs: [{ name: 'web' }],
      hostnames: ['shop.example.com'],
      rules: [{ backendRefs: [{ name: to, port: 80 }] }],
    });

  async function createPod(name: string, namespace: string, { nodeName, podIP, labels = {} }: Record<string, unknown>): Promise<void> {
    await api.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels },
      spec: {
        nodeName,
        containers: [{ name: 'app', image: 'app' }],
        ...(namespace === SYSTEM && { serviceAccountName: 'fairlead-agent' }),
      },
    } as KubeObject);
    await patchStatus(
      { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace } },
      {
        phase: 'Running',
        podIP,
        podIPs: [{ ip: podIP }],
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    );
  }

  /** As a pod of the DaemonSet has it. */
  async function tokenOf(name: string): Promise<string> {
    const { metadata } = (await api.admin.request(`/api/v1/namespaces/${SYSTEM}/pods/${name}`)) as KubeObject;
    const { status } = (await api.admin.request(`/api/v1/namespaces/${SYSTEM}/serviceaccounts/fairlead-agent/token`, {
      method: 'POST',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid: metadata['uid'] } },
      },
    })) as { status: { token: string } };
    return status.token;
  }

  const patchStatus = (of: KubeObject, status: object): Promise<unknown> =>
    api.admin.request(`${collectionOf(of)}/${of.metadata.name}/status`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { status },
    });

  interface Status {
    conditions?: Condition[];
    addresses?: { type: string; value: string }[];
    listeners?: { name: string; attachedRoutes: number; supportedKinds: { kind: string }[]; conditions: Condition[] }[];
    parents?: { controllerName: string; parentRef: object; conditions: Condition[] }[];
  }

  async function read(of: KubeObject): Promise<{ status: Status; generation: number; version: string }> {
    const found = (await api.admin.request(`${collectionOf(of)}/${of.metadata.name}`)) as unknown as {
      metadata: { generation: number; resourceVersion: string };
      status?: Status;
    };
    return { status: found.status ?? {}, generation: found.metadata.generation, version: found.metadata.resourceVersion };
  }

  const short = (conditions: readonly Condition[] = []): string =>
    conditions
      .map((c) => `${c.type}=${c.status}:${c.reason}`)
      .sort()
      .join(' ');

  /** Waits until what `pick` makes of an object's status is so, about its newest generation. */
  async function becomes(of: KubeObject, pick: (status: Status) => string, wanted: string): Promise<Status> {
    let last: { status: Status; generation: number } | undefined;
    await until(
      `${of.kind} ${of.metadata.name}: ${wanted}`,
      async () => {
        last = await read(of);
        return pick(last.status) === wanted;
      },
      40_000,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; it is ${JSON.stringify(last?.status)}\n${agent?.err()}`);
    });
    const { status, generation } = last as { status: Status; generation: number };
    const own = [
      ...(status.conditions ?? []),
      ...(status.parents ?? []).filter((p) => p.controllerName === OWN).flatMap((p) => p.conditions),
    ];
    for (const c of own) assert.is(c.observedGeneration, generation, c.type);
    return status;
  }

  const conditions = (status: Status): string => short(status.conditions);
  const parents = (status: Status): string => (status.parents ?? []).map((p) => `${p.controllerName} ${short(p.conditions)}`).join('; ');
  const ROUTED = `${OWN} Accepted=True:Accepted ResolvedRefs=True:ResolvedRefs`;

  test('a Gateway whose proxies are not there is accepted and not programmed', async () => {
    await applyDefinitions(api, [...definitions, ...istio]);
    for (const name of ['shop', SYSTEM]) await api.create(namespaceOf(name));
    const settings = resolveSettings({ injection: { enabled: true } }, { revision: '', version: '1.2.3' });
    for (const object of manifestsOf(settings, '1.2.3') as unknown as KubeObject[])
      if (ACCESS.includes(object.kind)) await api.create(object);
    for (const name of ['a', 'b']) {
      await api.create(serviceOf(name, 'shop'));
      await api.create(sliceOf(name, 'shop', backendPort, [address]));
    }
    for (const one of [ownClass, gateway, route('a')]) await api.create(one);
    // So that nothing is implied: a pod that has nothing to do with it.
    await createPod('fairlead-agent-a', SYSTEM, { nodeName: 'elsewhere', podIP: '10.9.9.9' });
    await createPod('web-0', 'shop', {
      nodeName: 'elsewhere',
      podIP: '10.9.9.8',
      labels: { 'gateway.networking.k8s.io/gateway-name': 'web' },
    });
    const kubeconfig = api.kubeconfigFor('agent', await tokenOf('fairlead-agent-a'));
    const flags = ['-k', '--write-status', '-i', SYSTEM, '--data', data, '--api-port', '0', '--metrics-port', '0'];
    const env = { KUBECONFIG: kubeconfig, NODE_NAME: 'a', POD_NAME: 'fairlead-agent-a', POD_NAMESPACE: SYSTEM };
    agent = startFairlead(['agent', 'run', ...flags], env);
    await becomes(ownClass, conditions, 'Accepted=True:Accepted');
    await becomes(gateway, conditions, 'Accepted=True:Accepted Programmed=False:NoResources');
    await becomes(route('a'), parents, ROUTED);
  });

  test('with its proxy it is programmed, has an address, and carries traffic', async () => {
    await api.remove({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-0', namespace: 'shop' } });
    const labels = { 'gateway.networking.k8s.io/gateway-name': 'web' };
    await createPod('web-1', 'shop', { nodeName: 'a', podIP: address, labels });
    const service = { ...serviceOf('web', 'shop', port), spec: { selector: labels, ports: [{ name: 'http', port, targetPort: port }] } };
    await api.create(service);
    const status = await becomes(gateway, conditions, 'Accepted=True:Accepted Programmed=True:Programmed');
    assert.is(await get(port, 'shop.example.com'), 'a');
    await becomes(gateway, (s) => JSON.stringify(s.addresses), JSON.stringify([{ type: 'Hostname', value: 'web.shop.svc.cluster.local' }]));
    const [listener] = status.listeners ?? [];
    assert.is(listener?.attachedRoutes, 1);
    assert.equal(listener?.supportedKinds.map(({ kind }) => kind).sort(), ['GRPCRoute', 'HTTPRoute']);
    assert.is(
      short(listener?.conditions),
      'Accepted=True:Accepted Conflicted=False:NoConflicts Programmed=True:Programmed ResolvedRefs=True:ResolvedRefs',
    );
  });

  test('an address of a load balancer takes the place of the name', async () => {
    await api.patch(serviceOf('web', 'shop'), { spec: { type: 'LoadBalancer' } });
    await becomes(gateway, conditions, 'Accepted=True:Accepted Programmed=False:AddressNotAssigned');
    await patchStatus(serviceOf('web', 'shop'), { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } });
    const status = await becomes(gateway, conditions, 'Accepted=True:Accepted Programmed=True:Programmed');
    assert.equal(status.addresses, [{ type: 'IPAddress', value: '192.0.2.1' }]);
  });

  test('entries of other controllers stay; a backend that is not there is said, and an event', async () => {
    const foreign = {
      controllerName: 'example.com/other',
      parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'theirs' },
      conditions: [
        {
          type: 'Accepted',
          status: 'True',
          reason: 'Accepted',
          message: 'ours',
          lastTransitionTime: '2026-01-01T00:00:00Z',
          observedGeneration: 1,
        },
      ],
    };
    const { status } = await read(route('a'));
    await patchStatus(route('a'), { parents: [foreign, ...(status.parents ?? [])] });
    await api.patch(route('a'), { spec: route('gone')['spec'] });
    const FOREIGN = 'example.com/other Accepted=True:Accepted';
    const now = await becomes(route('a'), parents, `${FOREIGN}; ${OWN} Accepted=True:Accepted ResolvedRefs=False:BackendNotFound`);
    assert.equal(now.parents?.[0], foreign);
    await until('there is an event', async () => (await events('HTTPRoute', 'shop')).includes('Warning BackendNotFound'));
    await api.patch(route('a'), { spec: route('b')['spec'] });
    await becomes(route('a'), parents, `${FOREIGN}; ${ROUTED}`);
    await until('its end is an event', async () => (await events('HTTPRoute', 'shop')).includes('Normal Recovered'));
    await until('requests go to b', async () => (await get(port, 'shop.example.com')) === 'a');
  });

  test('Gateways of other classes, of Istio’s too, are left alone; a route’s entry goes with its parent', async () => {
    const istio = object('Gateway', 'theirs', { gatewayClassName: 'istio', listeners: [{ name: 'http', port: 81, protocol: 'HTTP' }] });
    await api.create(istio);
    await api.patch(route('a'), { spec: { parentRefs: [{ name: 'theirs' }] } });
    await becomes(route('a'), parents, 'example.com/other Accepted=True:Accepted');
    await becomes(gateway, (s) => String(s.listeners?.[0]?.attachedRoutes), '0');
    assert.is(conditions((await read(istio)).status), 'Accepted=Unknown:Pending Programmed=Unknown:Pending', 'as the API server made it');
    await api.patch(route('a'), { spec: { parentRefs: [{ name: 'web' }] } });
    await becomes(route('a'), parents, `example.com/other Accepted=True:Accepted; ${ROUTED}`);
  });

  test('a Gateway whose listeners conflict, and one with a certificate that is not there', async () => {
    const both = object('Gateway', 'both', {
      gatewayClassName: 'fairlead',
      listeners: [
        { name: 'one', port: 82, protocol: 'TCP' },
        { name: 'two', port: 82, protocol: 'HTTP' },
      ],
    });
    await api.create(both).then(
      async () => {
        await becomes(both, conditions, 'Accepted=False:ListenersNotValid Programmed=False:Invalid');
        await until('there is an event', async () => (await events('Gateway', 'both')).some((e) => e.startsWith('Warning')));
      },
      (error: Error) => console.log(`the API server refuses it itself: ${error.message}`),
    );
    await api.patch(gateway, {
      spec: {
        listeners: [
          { name: 'http', port, protocol: 'HTTP' },
          { name: 'https', port: await freePort(), protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'gone' }] } },
        ],
      },
    });
    await becomes(
      gateway,
      (s) => short(s.listeners?.[1]?.conditions.filter((c) => c.type === 'ResolvedRefs')),
      'ResolvedRefs=False:InvalidCertificateRef',
    );
  });

  test('Istio’s own definitions take the condition of its kinds', async () => {
    const virtualService = routeOf('inside', 'shop', 'a');
    await api.create(virtualService);
    const { conditions: said = [] } = await becomes(virtualService, conditions, 'Reconciled=True:Applied');
    // The client that is implied where a node has no sidecar.
    assert.is(said[0]?.message, 'applied by 1 of 1 proxy');
  });

  async function events(kind: string, name: string): Promise<string[]> {
    const { items } = (await api.admin.request('/apis/events.k8s.io/v1/namespaces/shop/events')) as {
      items: { type: string; reason: string; regarding: { kind: string; name: string } }[];
    };
    return items.filter((e) => e.regarding.kind === kind && e.regarding.name === name).map((e) => `${e.type} ${e.reason}`);
  }
}

test.run();

/** The body of a GET at a port of this machine. */
function get(port: number, host: string): Promise<string> {
  return new Promise((resolve) => {
    const sent = request({ port, host: '127.0.0.1', path: '/', headers: { host }, timeout: 5000 }, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      resolve(text);
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', (error) => resolve(error.message));
    sent.end();
  });
}
