/** Status of what the pods of a node have taken, which get their configuration from the agent of the node: by it, and by kubectl. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Running } from '../support/cli.ts';
import { routeOf, serviceOf, until } from '../support/cluster-objects.ts';
import { realEnvoy } from '../support/envoy.ts';
import { collectionOf, startKubeApi } from '../support/kube-api.ts';
import { kubectl, runKubectl } from '../support/kubectl.ts';
import { networkMissing } from '../support/network.ts';
import { type NodeMesh, type PodAgent, SYSTEM, startNodeMesh } from '../support/node-mesh.ts';

const missing = networkMissing();
const started = missing === undefined ? await startKubeApi() : { missing };
const envoy = realEnvoy();
const program = kubectl();

if ('missing' in started) {
  console.log(`SKIP status of pods: ${started.missing}`);
  test('nothing to run it on', () => undefined);
} else {
  const api = started;
  let mesh: NodeMesh;
  let node: Running;
  const agents: PodAgent[] = [];

  test.after(async () => {
    await mesh?.close();
    await api.stop();
  });

  const route = routeOf('basket', 'shop', 'orders');

  /** Waits until the condition of the newest generation is so; gives its message. */
  async function becomes(wanted: string): Promise<string> {
    let last: unknown;
    let message = '';
    await until(
      wanted,
      async () => {
        const { metadata, status } = (await api.admin.request(`${collectionOf(route)}/basket`)) as {
          metadata: { generation: number };
          status?: { conditions?: { status: string; reason: string; message: string; observedGeneration: number }[] };
        };
        const [condition] = status?.conditions ?? [];
        last = condition;
        message = condition?.message ?? '';
        return condition?.observedGeneration === metadata.generation && `${condition.status} ${condition.reason}` === wanted;
      },
      60_000,
    ).catch((error: Error) => {
      throw new Error(
        `${error.message}; it is ${JSON.stringify(last)}\n${node.err()}\n${agents.map((a) => a.log()).join('\n')}`.slice(-8000),
      );
    });
    return message;
  }

  test('what its pods have taken, of both engines', async () => {
    mesh = await startNodeMesh(api, 'path' in envoy ? envoy.path : undefined);
    for (const name of ['orders', 'basket']) await api.create(serviceOf(name, 'shop'));
    await api.create(route);
    const env = { POD_NAME: 'agent-1', POD_NAMESPACE: SYSTEM };
    node = await mesh.startNode(env, '--write-status', '-i', SYSTEM);
    for (const [name, engine] of [
      ['web-1', 'embedded'],
      ['orders-1', 'path' in envoy ? 'envoy' : 'embedded'],
    ] as const) {
      const pod = await mesh.addPod(name, name, { labels: { app: name }, engine });
      agents.push(pod.start());
    }
    await becomes('True Applied');
    await api.patch(route, { spec: { http: [{ route: [{ destination: { host: 'orders' } }], timeout: '3s' }] } });
    await until('both count', async () => (await becomes('True Applied')) === 'applied by 2 of 2 proxies', 90_000);
  });

  test('a pod that does not answer has not taken what comes meanwhile', async () => {
    await agents[0]?.stop();
    await api.patch(route, { spec: { http: [{ route: [{ destination: { host: 'orders' } }], timeout: '4s' }] } });
    assert.is(await becomes('False Pending'), 'applied by 1 of 2 proxies; not by web-1.shop');
  });

  if (typeof program !== 'string') console.log(`SKIP kubectl: ${program.missing}`);
  else
    test('kubectl waits for the condition, and shows it', () => {
      const how = { kubeconfig: api.kubeconfig, folder: mesh.folder };
      const waiting = runKubectl(
        program,
        how,
        'wait',
        '-n',
        'shop',
        '--for=condition=Reconciled=false',
        'virtualservice/basket',
        '--timeout=20s',
      );
      assert.is(waiting.code, 0, waiting.err);
      const { out } = runKubectl(program, how, 'describe', '-n', 'shop', 'virtualservice', 'basket');
      assert.match(out, /Message:\s+applied by 1 of 2 proxies; not by web-1\.shop/);
    });
}

test.run();
