// test: exclusive
/** Pods whose connections are captured and whose proxies are fed by the agent of their node, on a real API server. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Answer, call, capture, startApplication } from '../support/captured-pod.ts';
import { sliceOf, until } from '../support/cluster-objects.ts';
import { realEnvoy } from '../support/envoy.ts';
import { type KubeObject, startKubeApi } from '../support/kube-api.ts';
import { networkMissing } from '../support/network.ts';
import { type NodeMesh, type Pod, type PodAgent, startNodeMesh } from '../support/node-mesh.ts';

const envoy = realEnvoy();
const missing = 'missing' in envoy ? envoy.missing : networkMissing();
const started = missing === undefined ? await startKubeApi() : { missing };

if ('missing' in started || 'missing' in envoy) {
  console.log(`SKIP captured pods of a node: ${'missing' in started ? started.missing : ''}`);
  test('nothing to run it on', () => undefined);
} else {
  const api = started;
  let mesh: NodeMesh;
  let client: Pod;
  let web: Pod;
  const agents: PodAgent[] = [];
  let last: Answer | undefined;

  test.after(async () => {
    await mesh?.close();
    await api.stop();
  });

  const istio = (group: string, kind: string, name: string, spec: object): KubeObject => ({
    apiVersion: `${group}.istio.io/v1`,
    kind,
    metadata: { name, namespace: 'shop' },
    spec,
  });
  const soon = (what: string, condition: () => boolean): Promise<number> =>
    until(what, condition, 60_000).catch((error: Error) => {
      throw new Error(`${error.message}; last: ${JSON.stringify(last)}\n${agents.map((agent) => agent.log()).join('\n----\n')}`);
    });
  const answers = (url: string, wanted: (answer: Answer) => boolean): Promise<number> =>
    soon(`${url} is answered as wanted`, () => {
      last = call(client.host, url);
      return wanted(last);
    });

  test('a call by name takes the routes of the mesh and mutual TLS, and who is no part of it is cut off', async () => {
    mesh = await startNodeMesh(api, envoy.path);
    mesh.network.name('10.96.0.10', 'web', 'web.shop.svc.cluster.local');
    await api.create(istio('security', 'PeerAuthentication', 'default', { mtls: { mode: 'STRICT' } }));
    await api.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { selector: { app: 'web' }, clusterIP: '10.96.0.10', ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    });
    await api.create(
      istio('networking', 'VirtualService', 'web', {
        hosts: ['web'],
        http: [{ match: [{ uri: { prefix: '/old' } }], rewrite: { uri: '/new' }, route: [{ destination: { host: 'web' } }] }],
      }),
    );
    await mesh.startNode();
    client = await mesh.addPod('client-1', 'client', { labels: { app: 'client' }, engine: 'envoy', captured: true });
    web = await mesh.addPod('web-1', 'web', { labels: { app: 'web' }, engine: 'envoy', captured: true });
    await api.create(sliceOf('web', 'shop', 8080, [web.host.v4]));
    for (const pod of [client, web]) capture(pod.host);
    await startApplication(web.host, 8080);
    for (const pod of [client, web]) agents.push(pod.start());
    await answers('http://web/old/a', ({ status, seen }) => status === 200 && seen?.url === '/new/a');
    assert.match(last?.seen?.headers['x-forwarded-client-cert'] ?? '', /URI=spiffe:\/\/cluster\.local\/ns\/shop\/sa\/client/);
    assert.is(call(mesh.network.outside, `http://${web.host.v4}:8080/`).status, undefined);
  });

  test('a policy that is applied later holds for what is captured', async () => {
    await api.create(
      istio('security', 'AuthorizationPolicy', 'web', {
        selector: { matchLabels: { app: 'web' } },
        action: 'DENY',
        rules: [{ to: [{ operation: { paths: ['/new/secret'], ports: ['8080'] } }] }],
      }),
    );
    await answers('http://web/old/secret', ({ status }) => status === 403);
    await answers('http://web/old/b', ({ status }) => status === 200);
    await soon('the pod’s log names the policy', () => /shop\/web/.test(agents[1]?.log() ?? ''));
  });
}

test.run();
