/** Status in a cluster's objects, written by agents on a real API server: what their proxies take, what is refused, and its end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Running, startFairlead } from '../support/cli.ts';
import { createDefinitions, namespaceOf, ownAddress, routeOf, serviceOf, until } from '../support/cluster-objects.ts';
import { freePort } from '../support/free-ports.ts';
import { collectionOf, type KubeObject, startKubeApi } from '../support/kube-api.ts';

interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
  observedGeneration?: number;
  lastTransitionTime?: string;
}

const started = await startKubeApi();
const address = ownAddress();
if ('missing' in started || address === undefined) {
  console.log(`SKIP status in a cluster: ${'missing' in started ? started.missing : 'this machine has no address but loopback ones'}`);
  if (!('missing' in started)) await started.stop();
  test('nothing to run it on', () => undefined);
} else {
  const api = started;
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const agents = new Map<string, Running>();

  test.after(async () => {
    for (const { child, ended } of agents.values()) {
      child.kill('SIGTERM');
      await ended;
    }
    await api.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  /** An agent of a node, in a pod of its own. */
  async function begin(node: string, args: readonly string[] = []): Promise<Running> {
    const pod = `agent-${node}`;
    await createPod(pod, 'istio-system', { nodeName: 'elsewhere', podIP: '10.9.9.9' });
    const agent = startFairlead(
      ['agent', 'run', '-k', '--write-status', '--data', join(scratch, node), '--api-port', '0', '--metrics-port', '0', ...args],
      { KUBECONFIG: api.kubeconfig, NODE_NAME: node, POD_NAME: pod, POD_NAMESPACE: 'istio-system' },
    );
    agents.set(node, agent);
    await until('the agent runs', () => /the agent runs/.test(agent.err()), 40_000).catch((error: Error) => {
      throw new Error(`${error.message}\n${agent.err()}`);
    });
    return agent;
  }

  async function end(node: string, signal: NodeJS.Signals): Promise<void> {
    const agent = agents.get(node);
    agents.delete(node);
    agent?.child.kill(signal);
    await agent?.ended;
    await api.remove({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `agent-${node}`, namespace: 'istio-system' } });
  }

  async function createPod(name: string, namespace: string, { nodeName, podIP, ...more }: Record<string, unknown>): Promise<void> {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, ...more },
      spec: { nodeName, terminationGracePeriodSeconds: 0, containers: [{ name: 'app', image: 'app' }] },
    } as KubeObject;
    await api.create(pod);
    await api.admin.request(`/api/v1/namespaces/${namespace}/pods/${name}/status`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions: [{ type: 'Ready', status: 'True' }] } },
    });
  }

  const get = (object: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>): Promise<KubeObject> =>
    api.admin.request(`${collectionOf(object as KubeObject)}/${object.metadata.name}`) as Promise<KubeObject>;

  async function conditionsOf(object: KubeObject): Promise<Condition[]> {
    const { status } = (await get(object)) as { status?: { conditions?: Condition[] } };
    return status?.conditions ?? [];
  }

  const reconciled = async (object: KubeObject): Promise<Condition | undefined> =>
    (await conditionsOf(object)).find(({ type }) => type === 'Reconciled');

  /** Waits until an object's condition says so much of its newest generation. */
  async function becomes(object: KubeObject, status: string, reason: string): Promise<Condition> {
    let last: Condition | undefined;
    await until(
      `${object.kind} ${object.metadata.name} is ${status}/${reason}`,
      async () => {
        last = await reconciled(object);
        const { generation } = (await get(object)).metadata as unknown as { generation: number };
        return last?.status === status && last.reason === reason && Number(last.observedGeneration) === generation;
      },
      40_000,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; it is ${JSON.stringify(last)}\n${[...agents.values()].map((a) => a.err()).join('\n')}`);
    });
    return last as Condition;
  }

  const policy = (name: string, spec: object): KubeObject => ({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: 'shop' },
    spec,
  });

  async function eventsOf(object: KubeObject): Promise<{ type: string; reason: string; note: string; series?: { count: number } }[]> {
    const { items } = (await api.admin.request(`/apis/events.k8s.io/v1/namespaces/${object.metadata.namespace}/events`)) as {
      items: { type: string; reason: string; note: string; regarding: { kind: string; name: string } }[];
    };
    return items.filter(({ regarding }) => regarding.kind === object.kind && regarding.name === object.metadata.name);
  }

  const reviews = routeOf('reviews', 'shop', 'v1');

  test('what all proxies have taken is said with the generation, in Istio’s form', async () => {
    await createDefinitions(api);
    for (const name of ['shop', 'istio-system']) await api.create(namespaceOf(name));
    for (const name of ['reviews', 'v1', 'v2']) await api.create(serviceOf(name, 'shop'));
    for (const node of ['a', 'b']) {
      const port = await freePort();
      await createPod(`app-${node}`, 'shop', {
        nodeName: node,
        podIP: address,
        labels: { app: 'app', on: node },
        annotations: { 'fairlead.dev/http-proxy-port': String(port), 'sidecar.istio.io/interceptionMode': 'NONE' },
      });
    }
    await api.create(reviews);
    await begin('a');
    await begin('b');
    await until('both agents have reported', async () => (await reports()).length === 2);
    const condition = await becomes(reviews, 'True', 'Applied');
    assert.match(condition.message, /^applied by [12] of [12] prox/);
    assert.match(condition.lastTransitionTime ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const { status } = (await get(reviews)) as unknown as { status: { observedGeneration: number } };
    assert.is(status.observedGeneration, 1);
  });

  test('a change is said once, and the time of the transition stays', async () => {
    const before = await reconciled(reviews);
    await api.patch(reviews, { spec: routeOf('reviews', 'shop', 'v2')['spec'] });
    const after = await becomes(reviews, 'True', 'Applied');
    assert.is(after.message, 'applied by 2 of 2 proxies');
    assert.is(Number(after.observedGeneration), 2);
    assert.is(after.lastTransitionTime, before?.lastTransitionTime);
    const written = (await get(reviews)).metadata['resourceVersion'];
    await new Promise((resolve) => setTimeout(resolve, 3000));
    assert.is((await get(reviews)).metadata['resourceVersion'], written, 'nothing is written after it');
  });

  test('policies count the proxies that they select; one that selects nothing says so', async () => {
    const one = policy('one', {
      selector: { matchLabels: { on: 'a' } },
      action: 'DENY',
      rules: [{ from: [{ source: { namespaces: ['x'] } }] }],
    });
    const nobody = policy('nobody', { selector: { matchLabels: { app: 'typo' } }, rules: [{}] });
    await api.create(one);
    await api.create(nobody);
    assert.is((await becomes(one, 'True', 'Applied')).message, 'applied by 1 of 1 proxy');
    const condition = await becomes(nobody, 'Unknown', 'NoProxies');
    assert.match(condition.message, /none of the proxies/);
    await api.remove(nobody);
  });

  test('conditions of others stay', async () => {
    const other = routeOf('other', 'shop', 'v1');
    await api.create(other);
    await becomes(other, 'True', 'Applied');
    const foreign = { type: 'example.com/Checked', status: 'True', reason: 'Fine', message: 'looked at' };
    const { status } = (await get(other)) as unknown as { status: { conditions: Condition[] } };
    await api.admin.request(`${collectionOf(other)}/other/status`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { status: { conditions: [foreign, ...status.conditions], validationMessages: [{ level: 'INFO' }] } },
    });
    await api.patch(other, { spec: routeOf('other', 'shop', 'v2')['spec'] });
    await becomes(other, 'True', 'Applied');
    const now = (await get(other)) as unknown as { status: { conditions: Condition[]; validationMessages: unknown } };
    assert.equal(now.status.conditions.map((c) => c.type).sort(), ['Reconciled', 'example.com/Checked']);
    assert.equal(now.status.validationMessages, [{ level: 'INFO' }]);
  });

  test('an object that is wrong: refused with its field, an event, and the end of it', async () => {
    await api.patch(reviews, { spec: { http: [{ match: [{ uri: { regex: '(' } }], route: [{ destination: { host: 'v1' } }] }] } });
    const condition = await becomes(reviews, 'False', 'Invalid');
    assert.match(condition.message, /regex.*what it was before stays/);
    await until('there is an event', async () => (await eventsOf(reviews)).some((e) => e.type === 'Warning' && e.reason === 'Invalid'));
    await api.patch(reviews, { spec: routeOf('reviews', 'shop', 'v1')['spec'] });
    await becomes(reviews, 'True', 'Applied');
    await until('its end is an event', async () => (await eventsOf(reviews)).some((e) => e.type === 'Normal' && e.reason === 'Recovered'));
    assert.is((await eventsOf(reviews)).length, 2);
  });

  test('a policy that cannot be enforced: it is refused, what comes meanwhile waits for it and is told once', async () => {
    const wrong = policy('wrong', { action: 'DENY', rules: [{ from: [{ source: { ipBlocks: ['nonsense'] } }] }] });
    await api.create(wrong);
    const refused = await becomes(wrong, 'False', 'Refused');
    assert.match(refused.message, /nonsense/);
    const meanwhile = routeOf('meanwhile', 'shop', 'v1');
    await api.create(meanwhile);
    assert.match((await becomes(meanwhile, 'False', 'Blocked')).message, /AuthorizationPolicy shop\/wrong/);
    assert.equal(await eventsOf(meanwhile), []);
    await api.remove(wrong);
    await becomes(meanwhile, 'True', 'Applied');
  });

  test('a proxy that refuses: the object that asked for it says which and why, until it is well', async () => {
    const taken = createServer().listen(0, '0.0.0.0');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const gateway = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata: { name: 'edge', namespace: 'shop' },
      spec: { selector: { istio: 'edge' }, servers: [{ port: { number: port, protocol: 'HTTP', name: 'http' }, hosts: ['*'] }] },
    };
    try {
      await createPod('edge-1', 'shop', { nodeName: 'b', podIP: address, labels: { istio: 'edge' } });
      await api.create(gateway);
      const condition = await becomes(gateway, 'False', 'Refused');
      assert.match(condition.message, /^refused by 1 proxy: .*edge-1\.shop.*another process uses it/);
      await until('there is an event', async () => (await eventsOf(gateway)).some((e) => e.type === 'Warning' && e.reason === 'Refused'));
    } finally {
      await new Promise((resolve) => taken.close(resolve));
    }
    assert.is((await becomes(gateway, 'True', 'Applied')).message, 'applied by 1 of 1 proxy');
    await until('its end is an event', async () => (await eventsOf(gateway)).some((e) => e.reason === 'Recovered'));
  });

  test('a refusal that a pod is behind is told of the pod', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'app-c', namespace: 'shop' } };
    try {
      await createPod('app-c', 'shop', {
        nodeName: 'b',
        podIP: address,
        annotations: { 'fairlead.dev/http-proxy-port': String(port), 'sidecar.istio.io/interceptionMode': 'NONE' },
      });
      await until('there is an event', async () =>
        (await eventsOf(pod)).some((e) => e.reason === 'Refused' && e.note.includes('another process uses it')),
      );
    } finally {
      await new Promise((resolve) => taken.close(resolve));
    }
    await until('its end is an event', async () => (await eventsOf(pod)).some((e) => e.reason === 'Recovered'));
    await api.remove(pod);
  });

  test('each agent has one report of its own that goes with its pod', async () => {
    const items = await reports();
    assert.equal(
      items.map(({ metadata }) => [metadata.name, metadata.ownerReferences[0]?.name]),
      [
        ['fairlead-status-agent-a', 'agent-a'],
        ['fairlead-status-agent-b', 'agent-b'],
      ],
    );
    for (const { data } of items) assert.ok(data.summary.length < 4000, `${data.summary.length}`);
  });

  test('what somebody takes away comes back; an API server that was away is written to again', async () => {
    await api.admin.request(`${collectionOf(reviews)}/reviews/status`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { status: { conditions: [] } },
    });
    await becomes(reviews, 'True', 'Applied');
    await api.kill();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await api.restart();
    await api.patch(reviews, { spec: routeOf('reviews', 'shop', 'v2')['spec'] });
    await becomes(reviews, 'True', 'Applied');
  });

  test('another agent that takes over writes nothing that is said already', async () => {
    const before = await said();
    const leader = await holder();
    const other = leader === 'agent-a' ? 'b' : 'a';
    await end(leader.slice(-1), 'SIGTERM');
    await until('another has the lease', async () => (await holder()) === `agent-${other}`, 40_000);
    // It has looked at everything when it acts on something new.
    const fresh = routeOf('fresh', 'shop', 'v1');
    await api.create(fresh);
    const condition = await becomes(fresh, 'True', 'Applied');
    assert.is(condition.message, 'applied by 1 of 1 proxy', 'the report of the agent that ended does not count');
    const after = await said();
    const written = Object.keys(before).filter((name) => after[name]?.version !== before[name]?.version);
    // One object every ten seconds, for the number of proxies is another one.
    assert.ok(written.length <= 4, written.join());
    for (const name of Object.keys(before)) assert.is(after[name]?.text, before[name]?.text, name);
  });

  async function reports(): Promise<
    { metadata: { name: string; ownerReferences: { kind: string; name: string; uid: string }[] }; data: { summary: string } }[]
  > {
    const path = '/api/v1/namespaces/istio-system/configmaps?labelSelector=fairlead.dev/status';
    return ((await api.admin.request(path)) as { items: Awaited<ReturnType<typeof reports>> }).items;
  }

  /** What conditions say, but for numbers of proxies, and the versions of their objects. */
  async function said(): Promise<Record<string, { version: string; text: string }>> {
    const found: Record<string, { version: string; text: string }> = {};
    for (const path of ['networking.istio.io/v1/virtualservices', 'security.istio.io/v1/authorizationpolicies']) {
      const { items } = (await api.admin.request(`/apis/${path}`)) as {
        items: { metadata: { name: string; resourceVersion: string }; status?: { conditions?: Condition[] } }[];
      };
      for (const { metadata, status } of items) {
        const text = JSON.stringify(status?.conditions?.map((c) => ({ ...c, message: c.message.replace(/\d+ of \d+ \w+/g, '') })));
        found[`${path} ${metadata.name}`] = { version: metadata.resourceVersion, text };
      }
    }
    return found;
  }

  async function holder(): Promise<string> {
    const lease = (await api.admin.request('/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/fairlead-status')) as {
      spec: { holderIdentity: string };
    };
    return lease.spec.holderIdentity;
  }
}

test.run();
