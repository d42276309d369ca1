/** The agent of a node serves its pods: on a real API server, with certificates by the CSR API, and traffic between pods of both engines. */
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bin, fairlead, type Running } from '../support/cli.ts';
import { namespaceOf, routeOf, sliceOf, until } from '../support/cluster-objects.ts';
import { realEnvoy } from '../support/envoy.ts';
import { type KubeObject, startKubeApi } from '../support/kube-api.ts';
import { networkMissing } from '../support/network.ts';
import { AUDIENCE, type NodeMesh, type Pod, type PodAgent, startNodeMesh } from '../support/node-mesh.ts';

const missing = networkMissing();
const started = missing === undefined ? await startKubeApi() : { missing };
const envoy = realEnvoy();

if ('missing' in started) {
  console.log(`SKIP the agent of a node: ${started.missing}`);
  test('nothing to run it on', () => undefined);
} else {
  const api = started;
  let mesh: NodeMesh;
  let node: Running;
  let web: Pod;
  let orders: Pod;
  let second: Pod;
  const agents: PodAgent[] = [];

  test.after(async () => {
    await mesh?.close();
    await api.stop();
  });

  /** What a client in the pod gets: the status, then the body. */
  const ask = (from: Pod, url = 'http://orders.shop/', ...more: string[]): string => {
    const { out, code } = from.host.run(
      'app',
      'curl',
      '-s',
      '-m',
      '5',
      '-x',
      'http://127.0.0.1:15080',
      '-w',
      ' %{http_code}',
      ...more,
      url,
    );
    return code === 0 ? out : `curl ${code}`;
  };
  const all = (): string => [node?.err(), ...agents.map((agent) => agent.log()), mesh?.caLog()].join('\n----\n').slice(-12_000);
  const soon = (what: string, condition: () => boolean | Promise<boolean>, ms = 30_000): Promise<number> =>
    until(what, condition, ms).catch((error: Error) => {
      throw new Error(`${error.message}\n${all()}`);
    });
  const status = async (data: string): Promise<{ proxies: Proxy[] }> =>
    JSON.parse((await fairlead(['agent', 'status', '-o', 'json', '--agent', `unix:${data}/agent.sock`])).out) as { proxies: Proxy[] };
  const nodeData = (): string => join(mesh.folder, 'node');
  const isTaken = async (pod: Pod): Promise<boolean> =>
    (await status(nodeData())).proxies.some(({ name, sync }) => name === `${pod.object.metadata.name}.shop` && sync === 'SYNCED');
  const spec = (object: KubeObject): Promise<KubeObject> => api.patch(object, { spec: object['spec'] });
  const istio = (group: string, kind: string, name: string, namespace: string, of: object): KubeObject => ({
    apiVersion: `${group}.istio.io/v1`,
    kind,
    metadata: { name, namespace },
    spec: of,
  });
  const policy = (principal: string): KubeObject =>
    istio('security', 'AuthorizationPolicy', 'orders', 'shop', {
      selector: { matchLabels: { app: 'orders' } },
      rules: [{ from: [{ source: { principals: [`cluster.local/ns/shop/sa/${principal}`] } }] }],
    });

  const engines = 'path' in envoy ? (['embedded', 'envoy'] as const) : (['embedded', 'embedded'] as const);
  if ('missing' in envoy) console.log(`SKIP Envoy in pods: ${envoy.missing}`);

  test('pods get their configuration and certificates from the agent of their node, and speak mutual TLS', async () => {
    mesh = await startNodeMesh(api, 'path' in envoy ? envoy.path : undefined);
    await api.create(istio('security', 'PeerAuthentication', 'default', 'istio-system', { mtls: { mode: 'STRICT' } }));
    await api.create(policy('web'));
    await api.create(
      istio('networking', 'Sidecar', 'orders', 'shop', {
        workloadSelector: { labels: { app: 'orders' } },
        ingress: [{ port: { number: 9080, protocol: 'HTTP', name: 'http' }, captureMode: 'NONE', defaultEndpoint: '127.0.0.1:8080' }],
      }),
    );
    for (const name of ['orders', 'basket'])
      await api.create({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace: 'shop' },
        spec: { selector: { app: 'orders' }, ports: [{ name: 'http', port: 80, targetPort: 9080 }] },
      });
    node = await mesh.startNode();
    web = await mesh.addPod('web-1', 'web', { labels: { app: 'web' }, engine: engines[0] });
    orders = await mesh.addPod('orders-1', 'orders', { labels: { app: 'orders' }, engine: engines[1] });
    const app = `require('http').createServer((q, a) => a.end('orders ' + (q.headers['x-forwarded-client-cert'] ?? ''))).listen(8080, '127.0.0.1')`;
    orders.host.start('app', process.execPath, '-e', app);
    for (const service of ['orders', 'basket']) await api.create(sliceFor(service, orders));
    for (const pod of [web, orders]) agents.push(pod.start());
    await soon('both have taken it', async () => (await isTaken(web)) && (await isTaken(orders)), 60_000);
    await soon('a request is answered', () => /^orders .* 200$/.test(ask(web)));
    assert.match(ask(web), /URI=spiffe:\/\/cluster\.local\/ns\/shop\/sa\/web/);
    assert.match(orders.host.run('app', 'curl', '-s', '-m', '5', `http://${orders.host.v4}:9080/`).code === 0 ? 'answered' : 'cut', /cut/);
    assert.match(mesh.caLog(), /"by":"csr"|csr|signed|issued/i);
  });

  test('nothing of it needs a right of the pods’ accounts, and keys are for the pod alone', async () => {
    const { out, err } = await fairlead(['agent', 'status', '--agent', `unix:${nodeData()}/agent.sock`]);
    assert.match(out, /engine {2}pods/, err);
    for (const [pod, sa] of [
      [web, 'web'],
      [orders, 'orders'],
    ] as const) {
      const folder = join(pod.data, 'agent');
      const names = readdirSync(folder).filter((name) => name.startsWith('pod-'));
      assert.ok(names.includes('pod-secrets.json'), names.join());
      for (const name of names) assert.is(statSync(join(folder, name)).mode & 0o777, 0o600, name);
      assert.not.ok(existsSync(join(folder, 'ca')));
      const shown = pod.host.run('root', process.execPath, bin, 'agent', 'status', '--agent', `unix:${folder}/agent.sock`);
      assert.match(shown.out, new RegExp(`spiffe://cluster.local/ns/shop/sa/${sa} +VALID`), shown.err);
      assert.match(shown.out, /certificates by the node’s agent at unix:/);
    }
    const ready = web.host.run('root', process.execPath, bin, 'agent', 'ready', '--timeout', '10s');
    assert.is(ready.code, 0, ready.err);
    const metrics = web.host.run('app', 'curl', '-s', 'http://127.0.0.1:15020/metrics').out;
    assert.match(
      metrics,
      /istio_requests_total\{reporter="source",source_workload="web-1".*destination_workload="orders-1".*destination_service="orders\.shop\.svc\.cluster\.local"/,
    );
    assert.match(metrics, /fairlead_certificate_expiry_seconds\{identity="spiffe:\/\/cluster\.local\/ns\/shop\/sa\/web"/);
    const dump = web.host.run('app', 'curl', '-s', 'http://127.0.0.1:15000/config_dump').out;
    assert.match(dump, /outbound\|80\|\|orders\.shop\.svc\.cluster\.local/);
    const there = await fairlead(['proxy-config', 'clusters', 'web-1.shop', '--agent', `unix:${nodeData()}/agent.sock`]);
    assert.match(there.err, /runs in its own pod/);
    const bindings = (await api.admin.request('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings')) as { items: KubeObject[] };
    const subjects = bindings.items.flatMap((b) => (b['subjects'] as { name: string; namespace?: string }[] | undefined) ?? []);
    assert.not.ok(subjects.some(({ namespace }) => namespace === 'shop'));
  });

  test('an edit is seen at once; a change of endpoints travels as endpoints alone', async () => {
    const times: number[] = [];
    for (const rewrite of ['/a', '/b', '/c']) {
      const route = routeOf('basket', 'shop', 'orders', {
        fault: { abort: { percentage: { value: 100 }, httpStatus: 400 + rewrite.charCodeAt(1) - 96 } },
      });
      await (times.length === 0 ? api.create(route) : spec(route));
      const wanted = new RegExp(` ${400 + rewrite.charCodeAt(1) - 96}$`);
      times.push(await soon('the new route counts', () => wanted.test(ask(web, 'http://basket.shop/'))));
    }
    console.log(
      `from the API server’s answer to the first request on the new route: ${times.map((ms) => `${ms.toFixed(0)} ms`).join(', ')}`,
    );
    await api.patch(sliceOf('orders', 'shop', 0, []), { endpoints: [] });
    await soon('nobody serves it', () => / 503$/.test(ask(web)));
    await api.patch(sliceOf('orders', 'shop', 0, []), { endpoints: sliceFor('orders', orders)['endpoints'] });
    await soon('it is served again', () => / 200$/.test(ask(web)));
  });

  test('a denial names its policy in the pod’s log', async () => {
    await spec(policy('nobody'));
    await soon('it is denied', () => / 403$/.test(ask(web)));
    const log = (): string => (agents[1] as PodAgent).log();
    await soon('the log names the policy', () => /denied: no rule of orders allows it.*AuthorizationPolicy shop\/orders/.test(log()));
    await spec(policy('web'));
    await soon('it is allowed', () => / 200$/.test(ask(web)));
  });

  test('what a pod refuses is told with its object, and the rest is taken', async () => {
    const squatter = orders.host.start('app', process.execPath, '-e', "require('net').createServer().listen(9090)");
    await soon('the port is taken', () => orders.host.run('app', 'curl', '-s', '-m', '1', 'telnet://127.0.0.1:9090').code !== 7);
    await api.patch(istio('networking', 'Sidecar', 'orders', 'shop', {}), {
      spec: {
        ingress: [
          { port: { number: 9080, protocol: 'HTTP', name: 'http' }, captureMode: 'NONE', defaultEndpoint: '127.0.0.1:8080' },
          { port: { number: 9090, protocol: 'HTTP', name: 'more' }, captureMode: 'NONE', defaultEndpoint: '127.0.0.1:8080' },
        ],
      },
    });
    let refused: Proxy | undefined;
    await soon('the node’s agent knows', async () => {
      refused = (await status(nodeData())).proxies.find(({ name }) => name === 'orders-1.shop');
      return refused?.sync === 'ERROR';
    });
    const [problem] = refused?.problems ?? [];
    assert.is(problem?.rule, 'listener/port-in-use');
    assert.match(problem?.message ?? '', /9090/);
    assert.match(JSON.stringify(problem), /Sidecar shop\/orders/);
    assert.is(refused?.types?.find(({ type }) => type === 'LDS')?.state, 'NACK');
    assert.match(ask(web), / 200$/);
    squatter.kill('SIGKILL');
    await soon('it is taken once the port is free', () => isTaken(orders));
  });

  test('tokens of others get nothing: another audience, another node, no pod, no token', async () => {
    const elsewhere = await mesh.addPod('web-2', 'web', { labels: { app: 'web' }, engine: 'embedded', node: 'node-2' });
    const tries: [token: string, said: RegExp][] = [
      [await mesh.tokenFor(elsewhere.object, AUDIENCE), /the pod shop\/web-2 runs on the node node-2, and this is the agent of node-1/],
      [await mesh.tokenFor(web.object, 'somebody-else'), /the token is not accepted: it is not meant for fairlead-agent/],
      ['not-a-token', /the token is not accepted: it is no JSON Web Token/],
      [`${(await mesh.tokenFor(web.object, AUDIENCE)).slice(0, -6)}AAAAAA`, /the token is not accepted/],
    ];
    for (const [token, said] of tries) {
      writeFileSync(elsewhere.tokenFile, token);
      rmSync(join(elsewhere.data, 'agent'), { recursive: true, force: true });
      const agent = elsewhere.start();
      await until(`it is told: ${said}`, () => said.test(agent.log()), 20_000).catch((error: Error) => {
        throw new Error(`${error.message}\n${agent.log()}\n${all()}`);
      });
      await agent.stop();
      assert.not.ok(existsSync(join(elsewhere.data, 'agent', 'pod-secrets.json')));
    }
  });

  test('the node’s agent is away: traffic goes on, a pod that starts anew has what it had, and changes flow soon after its return', async () => {
    node.child.kill('SIGKILL');
    await node.ended;
    assert.match(ask(web), / 200$/);
    await soon('the pods have noticed', () => /is away; what it sent last runs on/.test((agents[0] as PodAgent).log()));
    await (agents[0] as PodAgent).stop();
    agents[0] = web.start();
    await soon('the pod that starts anew serves', () => / 200$/.test(ask(web)));
    await spec(routeOf('basket', 'shop', 'orders', { fault: { abort: { percentage: { value: 100 }, httpStatus: 418 } } }));
    node = await mesh.startNode();
    const ms = await soon('the change has come', () => / 418$/.test(ask(web, 'http://basket.shop/')));
    console.log(`after the return of the node’s agent: ${ms.toFixed(0)} ms`);
    assert.match(ask(web), / 200$/);
  });

  test('a pod that is gone is served no more', async () => {
    second = await mesh.addPod('web-3', 'web', { labels: { app: 'web' }, engine: 'embedded' });
    const agent = second.start();
    agents.push(agent);
    await soon('it has its configuration', () => isTaken(second));
    await api.admin.request('/api/v1/namespaces/shop/pods/web-3?gracePeriodSeconds=0', { method: 'DELETE' });
    await soon('its stream ends', () => /the pod shop\/web-3 is gone|the token is not accepted/.test(agent.log()));
    assert.not.ok((await status(nodeData())).proxies.some(({ name }) => name === 'web-3.shop'));
    await api.create(namespaceOf('other'));
    assert.match(ask(web), / 200$/);
  });
}

test.run();

interface Proxy {
  name: string;
  sync: string;
  problems: { rule: string; message: string }[];
  types?: { type: string; state: string }[];
}

function sliceFor(service: string, { object, host }: Pod): KubeObject {
  const targetRef = { kind: 'Pod', name: object.metadata.name, namespace: 'shop' };
  return {
    ...sliceOf(service, 'shop', 9080, []),
    endpoints: [{ addresses: [host.v4], conditions: { ready: true }, nodeName: 'node-1', targetRef }],
  };
}
