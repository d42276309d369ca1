/** Two real API servers as one mesh: contexts, remote secrets, and traffic to the endpoints of both. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead, type Running, startFairlead } from '../support/cli.ts';
import { createDefinitions, namespaceOf, ownAddress, serviceOf, sliceOf, until } from '../support/cluster-objects.ts';
import { startBackend } from '../support/cluster-traffic.ts';
import { realEnvoy } from '../support/envoy.ts';
import { freePort } from '../support/free-ports.ts';
import { get } from '../support/http-proxy.ts';
import { clientOf, type KubeApi, type KubeObject, startKubeApi, tokenOf } from '../support/kube-api.ts';

const address = ownAddress();
const first = await startKubeApi();
if ('missing' in first || address === undefined) {
  console.log(`SKIP several clusters: ${'missing' in first ? first.missing : 'this machine has no address but loopback ones'}`);
  if (!('missing' in first)) await first.stop();
  test('nothing to run it on', () => undefined);
} else {
  const east = first;
  const west = (await startKubeApi()) as KubeApi;
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const [one, two, three, proxyPort] = await Promise.all([
    startBackend('east'),
    startBackend('west'),
    startBackend('west-only'),
    freePort(),
  ]);
  const both = [contextOf(east, 'east'), contextOf(west, 'west')].join(delimiter);
  let agent: Running | undefined;

  test.after(async () => {
    agent?.child.kill('SIGTERM');
    await agent?.ended;
    for (const { server } of [one, two, three]) server.close();
    await Promise.all([east.stop(), west.stop()]);
    rmSync(scratch, { recursive: true, force: true });
  });

  /** A kubeconfig of one context by this name. */
  function contextOf(api: KubeApi, name: string): string {
    const file = join(scratch, `${name}.kubeconfig`);
    writeFileSync(
      file,
      `apiVersion: v1
kind: Config
clusters: [{name: ${name}, cluster: {server: "https://127.0.0.1:${api.port}", certificate-authority: ${api.folder}/ca.crt}}]
users: [{name: ${name}, user: {token: admin-token}}]
contexts: [{name: ${name}, context: {cluster: ${name}, user: ${name}}}]
current-context: ${name}
`,
    );
    return file;
  }

  const begin = (folder: string, args: readonly string[], env: Record<string, string> = {}): Running =>
    startFairlead(['agent', 'run', '-k', ...args, '--data', join(scratch, folder), '--api-port', '0', '--metrics-port', '0'], {
      KUBECONFIG: both,
      ...env,
    });
  const runs = (running: Running): Promise<number> =>
    until('the agent runs', () => /the agent runs/.test(running.err()), 40_000).catch((error: Error) => {
      throw new Error(`${error.message}\n${running.err()}`);
    });
  const end = async (): Promise<void> => {
    agent?.child.kill('SIGTERM');
    await agent?.ended;
    agent = undefined;
  };
  const ask = (host = 'reviews.shop'): Promise<string> => get(proxyPort, `http://${host}/`);
  /** Who answers within so many requests. */
  async function answers(host = 'reviews.shop', times = 24): Promise<string[]> {
    const found = new Set<string>();
    for (let i = 0; i < times; i++) found.add(await ask(host));
    return [...found].sort();
  }
  const answered = (wanted: readonly string[], host?: string, deadlineMs = 20_000): Promise<number> =>
    until(
      `${host ?? 'reviews.shop'} is answered by ${wanted.join(' and ')}`,
      async () => (await answers(host)).join() === [...wanted].sort().join(),
      deadlineMs,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${agent?.err()}`);
    });
  const slice = (name: string, port: number, zone?: { node: string }): KubeObject => {
    const made = sliceOf(name, 'shop', port, [address]);
    const [endpoint] = made['endpoints'] as object[];
    return { ...made, endpoints: [{ ...endpoint, ...(zone && { nodeName: zone.node }) }] };
  };
  const node = (name: string, zone: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'topology.kubernetes.io/region': 'earth', 'topology.kubernetes.io/zone': zone } },
  });
  /** A Secret as `remote-secret create` writes it, of `west`. */
  const secretOf = (name: string, data: Record<string, string>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'istio-system', labels: { 'istio/multiCluster': 'true' } },
    stringData: data,
  });
  const kubeconfig = (user: string): string => `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:${west.port}", certificate-authority-data: ${caOf(west)}}}]
users: [{name: u, user: ${user}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`;

  test('Services of one name have the endpoints of both clusters; configuration is the first one’s', async () => {
    await createDefinitions(east);
    for (const api of [east, west]) for (const name of ['shop', 'istio-system']) await api.create(namespaceOf(name));
    await east.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio', namespace: 'istio-system' },
      data: { mesh: `proxyHttpPort: ${proxyPort}\n` },
    });
    await east.create(node('n', 'a'));
    await west.create(node('n', 'b'));
    await east.create(serviceOf('reviews', 'shop'));
    await west.create(serviceOf('reviews', 'shop'));
    await east.create(slice('reviews', one.port, { node: 'n' }));
    await west.create(slice('reviews', two.port, { node: 'n' }));
    await west.create(serviceOf('remote', 'shop'));
    await west.create(slice('remote', three.port));
    agent = begin('contexts', ['--context', 'east', '--context', 'west']);
    await runs(agent);
    await answered(['east', 'west']);
    await answered(['west-only'], 'remote.shop');
  });

  test('commands read the same', async () => {
    const env = { KUBECONFIG: both };
    const { out, err, code } = await fairlead(
      [
        'proxy-config',
        'endpoint',
        '-k',
        '--context',
        'east',
        '--context',
        'west',
        '--cluster',
        'outbound|80||reviews.shop.svc.cluster.local',
      ],
      { env },
    );
    assert.is(code, 0, err);
    for (const port of [one.port, two.port]) assert.match(out, `${address}:${port}`);
    const alone = await fairlead(
      ['proxy-config', 'endpoint', '-k', '--context', 'east', '--cluster', 'outbound|80||reviews.shop.svc.cluster.local'],
      { env },
    );
    assert.not.match(alone.out, `${address}:${two.port}`);
  });

  test('ports that differ between clusters are told with both places', async () => {
    await east.create(serviceOf('odd', 'shop', 80));
    await west.create(serviceOf('odd', 'shop', 81));
    await until('it is told', () => agent!.err().includes('odd.shop.svc.cluster.local differ between clusters'));
    const [line = ''] = agent!
      .err()
      .split('\n')
      .filter((one) => one.includes('differ between clusters'));
    assert.match(line, /http 81 here, http 80 in cluster\/east: Service shop\/odd, which count/);
    assert.match(line, /at="cluster\/west: Service shop\/odd"/);
    await east.remove(serviceOf('odd', 'shop'));
    await west.remove(serviceOf('odd', 'shop'));
  });

  test('localities go by the labels of each cluster’s own nodes', async () => {
    await east.create({
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name: 'reviews', namespace: 'shop' },
      spec: {
        host: 'reviews',
        trafficPolicy: {
          loadBalancer: { localityLbSetting: { enabled: true, distribute: [{ from: '*', to: { 'earth/b': 100 } }] } },
        },
      },
    });
    await answered(['west']);
    await east.remove({ apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule', metadata: { name: 'reviews', namespace: 'shop' } });
    await answered(['east', 'west']);
  });

  test('a cluster that is away leaves the others as they are, and its last endpoints stay', async () => {
    await west.kill();
    await until('it is said', () => /API server of west cannot be asked.*what it had last stays/.test(agent!.err()));
    assert.equal(await answers(), ['east', 'west']);
    await east.patch(slice('reviews', one.port), { endpoints: [] });
    await answered(['west']);
    await east.patch(slice('reviews', one.port), { endpoints: slice('reviews', one.port, { node: 'n' })['endpoints'] as object[] });
    await answered(['east', 'west']);
    await west.restart();
    await west.patch(slice('reviews', two.port), { endpoints: [] });
    await answered(['east']);
    await west.patch(slice('reviews', two.port), { endpoints: slice('reviews', two.port, { node: 'n' })['endpoints'] as object[] });
    await answered(['east', 'west']);
  });

  test('an agent begins without a cluster that is away, and finds it when it is back', async () => {
    await end();
    await west.kill();
    agent = begin('contexts', ['--context', 'east', '--context', 'west']);
    const ms = await runs(agent);
    await answered(['east']);
    await west.restart();
    await answered(['east', 'west']);
    console.log(`with one of two clusters away an agent runs after ${ms.toFixed(0)} ms`);
    const { out, err, code } = await fairlead(['proxy-config', 'endpoint', '-k', '--context', 'east', '--context', 'nowhere'], {
      env: { KUBECONFIG: both },
    });
    assert.is(code, 3, out);
    assert.match(err, /there is no context nowhere/);
  });

  test('Secrets make clusters known while the agent runs: added, changed, removed', async () => {
    await end();
    agent = begin('secrets', ['--context', 'east']);
    await runs(agent);
    await answered(['east']);
    await east.create(secretOf('west', { west: kubeconfig('{token: admin-token}') }));
    await answered(['east', 'west']);
    assert.match(agent.err(), /the cluster west is read too: the Secret istio-system\/west names it/);
    await east.patch(secretOf('west', {}), { stringData: { west: kubeconfig('{token: wrong}') } });
    await until('it is said', () => /the API server of west does not know who asks/.test(agent!.err()));
    assert.equal(await answers(), ['east', 'west'], 'its last endpoints stay');
    await east.patch(secretOf('west', {}), { stringData: { west: kubeconfig('{token: "admin-token"}') } });
    await until('it is asked with the new token', () =>
      /west is read with new credentials[\s\S]*west is read with new credentials/.test(agent!.err()),
    );
    await west.patch(slice('reviews', two.port), { endpoints: [] });
    await answered(['east']);
    await west.patch(slice('reviews', two.port), { endpoints: slice('reviews', two.port)['endpoints'] as object[] });
    await answered(['east', 'west']);
    await east.remove(secretOf('west', {}));
    await answered(['east']);
  });

  test('a kubeconfig in a Secret runs no program and reads no file', async () => {
    const ran = join(scratch, 'ran');
    await east.create(
      secretOf('evil', { evil: kubeconfig(`{exec: {apiVersion: client.authentication.k8s.io/v1, command: touch, args: ["${ran}"]}}`) }),
    );
    await until('it is refused', () =>
      /the cluster evil is left out.*istio-system\/evil is refused: exec is not taken from a Secret/.test(agent!.err()),
    );
    assert.equal(await answers(), ['east']);
    assert.not(existsSync(ran));
    await east.remove(secretOf('evil', {}));
  });

  test('`remote-secret create` gives a Secret by which that cluster is read, with a token that ends', async () => {
    const { out, err, code } = await fairlead(
      ['remote-secret', 'create', '--context', 'west', '--name', 'west', '--expires-in', '1h', '-o', 'json'],
      { env: { KUBECONFIG: both } },
    );
    assert.is(code, 0, err);
    assert.match(err, /applied ClusterRoleBinding fairlead-remote-reader-istio-system/);
    assert.match(err, /the token of istio-system\/fairlead-remote-reader ends at/);
    assert.match(err, /127\.0\.0\.1:\d+ is this machine’s own address/);
    const secret = JSON.parse(out) as KubeObject;
    assert.is(secret.metadata.name, 'istio-remote-secret-west');
    await east.create(secret);
    await answered(['east', 'west']);
    assert.not.match(agent!.err(), /west refuses it/, 'its permissions are enough');
    // And they are no more than that.
    const { token } = (JSON.parse((secret['stringData'] as Record<string, string>)['west']!) as { users: { user: { token: string } }[] })
      .users[0]!.user;
    const reader = clientOf(west.kubeconfigFor('reader', token));
    await reader.request('/api/v1/services?limit=1');
    for (const path of ['/api/v1/secrets', '/api/v1/configmaps', '/apis/networking.istio.io/v1/virtualservices'])
      assert.match(await reader.request(path).then(String, String), /refuses it|NotFound|404/, path);
    reader.close();
    await east.remove(secret);
    await answered(['east']);
  });

  test('`remote-secret create` without an end: Kubernetes fills a Secret with the token', async () => {
    const env = { KUBECONFIG: both };
    const args = ['remote-secret', 'create', '--context', 'west'];
    const late = await fairlead([...args, '--timeout', '1s'], { env });
    assert.is(late.code, 3);
    assert.match(
      late.err.replace(/\s+/g, ' '),
      /the cluster west has made no token in 1 s: the Secret istio-system\/fairlead-remote-reader-remote-token stays empty/,
    );
    assert.is(late.out, '');
    // What a controller manager does, of which there is none here.
    const token = await tokenOf(west, 'istio-system', 'fairlead-remote-reader');
    const encode = (text: string): string => Buffer.from(text).toString('base64');
    const kept = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'fairlead-remote-reader-remote-token', namespace: 'istio-system' } };
    await west.patch(kept, { data: { token: encode(token), 'ca.crt': caOf(west) } });
    const { out, err, code } = await fairlead([...args, '-o', 'json'], { env });
    assert.is(code, 0, err);
    const secret = JSON.parse(out) as KubeObject;
    const uid = ((await west.admin.request('/api/v1/namespaces/kube-system')) as KubeObject).metadata['uid'];
    assert.is(secret.metadata.name, `istio-remote-secret-${uid}`);
    await east.create(secret);
    await answered(['east', 'west']);
    await east.remove(secret);
    await answered(['east']);
  });

  test('endpoints of another network are left out, and that is said', async () => {
    await east.create(secretOf('west', { west: kubeconfig('{token: admin-token}') }));
    await answered(['east', 'west']);
    const label = (api: KubeApi, network: string | null) =>
      api.patch(namespaceOf('istio-system'), { metadata: { labels: { 'topology.istio.io/network': network } } });
    await label(west, 'net-west');
    await label(east, 'net-east');
    await until('it is told', () => /endpoints in network net-west \(cluster west\) are not used from network net-east/.test(agent!.err()));
    await answered(['east']);
    await label(west, 'net-east');
    await answered(['east', 'west']);
    await east.remove(secretOf('west', {}));
  });

  test('the real Envoy carries the same traffic', async () => {
    const envoy = realEnvoy();
    if ('missing' in envoy) {
      console.log(`SKIP Envoy with several clusters: ${envoy.missing}`);
      return;
    }
    await end();
    agent = begin('envoy', ['--context', 'east', '--context', 'west'], { FAIRLEAD_ENGINE: 'envoy', ENVOY_PATH: envoy.path });
    await answered(['east', 'west'], undefined, 60_000);
    await west.patch(slice('reviews', two.port), { endpoints: [] });
    await answered(['east']);
  });
}

test.run();

function caOf(api: KubeApi): string {
  return readFileSync(join(api.folder, 'ca.crt')).toString('base64');
}
