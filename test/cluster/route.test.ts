/** The route commands on a real API server: small patches, nobody else's change lost, and shifts with the traffic of a real agent. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ObjectChange } from '../../src/edit/live/object-draft.ts';
import { writeObjects } from '../../src/edit/live/write-objects.ts';
import { fairlead, type Ran, type Running, startFairlead } from '../support/cli.ts';
import { createDefinitions, createVersion, namespaceOf, ownAddress, serviceOf, until } from '../support/cluster-objects.ts';
import { startBackend } from '../support/cluster-traffic.ts';
import { realEnvoy } from '../support/envoy.ts';
import { createNode, createPod, startFakeKubelet } from '../support/fake-kubelet.ts';
import { freePort } from '../support/free-ports.ts';
import { get } from '../support/http-proxy.ts';
import { collectionOf, type KubeObject, startKubeApi, tokenOf } from '../support/kube-api.ts';

interface Live extends KubeObject {
  metadata: KubeObject['metadata'] & {
    resourceVersion: string;
    generation: number;
    managedFields: { manager: string; operation: string; fieldsV1: object }[];
  };
  spec: {
    hosts: string[];
    http: { name?: string; timeout?: string; route: { destination: object; weight?: number; headers?: object }[] }[];
  };
}

const started = await startKubeApi();
const address = ownAddress();
if ('missing' in started || address === undefined) {
  console.log(`SKIP routes of a cluster: ${'missing' in started ? started.missing : 'this machine has no address but loopback ones'}`);
  if (!('missing' in started)) await started.stop();
  test('nothing to run it on', () => undefined);
} else {
  const api = started;
  const state = mkdtempSync(join(tmpdir(), 'fairlead-'));
  const env = (kubeconfig = api.kubeconfig) => ({ KUBECONFIG: kubeconfig, XDG_STATE_HOME: state });
  const route = (args: string, kubeconfig?: string): Promise<Ran> => fairlead(['route', ...args.split(' ')], { env: env(kubeconfig) });
  const backends = await Promise.all(['v1', 'v2'].map(startBackend));
  const [proxyPort, apiPort] = [await freePort(), await freePort()];
  const kubelet = await startFakeKubelet();
  let agent: Running | undefined;

  test.after(async () => {
    agent?.child.kill('SIGTERM');
    await agent?.ended;
    for (const { server } of backends) server.close();
    await kubelet.close();
    await api.stop();
    rmSync(state, { recursive: true, force: true });
  });

  const reviews = (spec: object): KubeObject => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'reviews', namespace: 'shop' },
    spec: { hosts: ['reviews'], ...spec },
  });
  const path = `${collectionOf(reviews({}))}/reviews`;
  const live = (): Promise<Live> => api.admin.request(path) as Promise<Live>;
  const split = async (): Promise<number[]> => (await live()).spec.http.at(-1)!.route.map(({ weight }) => weight ?? 100);
  /** Replaces the spec as somebody else, with a manager's name. */
  const edit = async (spec: object, manager = 'kubectl-edit'): Promise<void> => {
    const now = await live();
    await api.admin.request(`${path}?fieldManager=${manager}`, { method: 'PUT', body: { ...now, spec } });
  };

  test('a split makes what is missing: subsets of running versions first, then the route', async () => {
    await createDefinitions(api);
    for (const name of ['shop', 'istio-system']) await api.create(namespaceOf(name));
    await api.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio', namespace: 'istio-system' },
      data: { mesh: `proxyHttpPort: ${proxyPort}\n` },
    });
    await api.create({ ...serviceOf('reviews', 'shop'), spec: { selector: { app: 'reviews' }, ports: [{ name: 'http', port: 80 }] } });
    for (const { name, port } of backends)
      await createVersion(api, { service: 'reviews', version: name, namespace: 'shop', address, port });
    const tried = await route('split reviews.shop v1=90 v2=10 -k --dry-run');
    assert.is(tried.code, 0, tried.err);
    assert.match(
      tried.out,
      /--- \/dev\/null\n\+\+\+ b\/cluster\/test: DestinationRule shop\/reviews[\s\S]*\+\+\+ b\/cluster\/test: VirtualService shop\/reviews/,
    );
    await api.admin.request(path).then(
      () => assert.unreachable('nothing was to be written'),
      () => undefined,
    );
    const ran = await route('split reviews v1=90 v2=10 -k -n shop');
    assert.is(ran.code, 0, ran.err);
    assert.match(
      ran.out,
      /a new VirtualService\)\ncreated cluster\/test: DestinationRule shop\/reviews\ncreated cluster\/test: VirtualService shop\/reviews/,
    );
    assert.match(ran.err, /^\+ {6}weight: 90$/m);
    assert.equal(await split(), [90, 10]);
    assert.equal(
      (await live()).metadata.managedFields.map(({ manager }) => manager),
      ['fairlead-route'],
    );
  });

  test('an edit is a patch of what it changes, and of nothing else; what others own stays theirs', async () => {
    await api.remove(reviews({}));
    await api.admin.request(`${path}?fieldManager=team&force=true`, {
      method: 'PATCH',
      contentType: 'application/apply-patch+yaml',
      body: {
        ...reviews({
          http: [
            {
              name: 'testers',
              match: [{ headers: { 'x-user': { regex: '(?i)<b>&.*' } } }],
              route: [{ destination: { host: 'reviews', subset: 'v2' } }],
            },
            {
              name: 'default',
              route: [
                { destination: { host: 'reviews', subset: 'v1' }, weight: 90, headers: { request: { set: { 'x-v': '1' } } } },
                { destination: { host: 'reviews', subset: 'v2' }, weight: 10 },
              ],
            },
          ],
        }),
      },
    });
    const before = await live();
    const tried = await route('split reviews v1=80 v2=20 -k -n shop --dry-run');
    assert.is(tried.code, 0, tried.err);
    assert.match(tried.out, /^- {6}weight: 90\n\+ {6}weight: 80$/m);
    assert.is((await live()).metadata.resourceVersion, before.metadata.resourceVersion, 'a dry run writes nothing');
    const ran = await route('split reviews v1=80 v2=20 -k -n shop');
    assert.is(ran.code, 0, ran.err);
    assert.match(
      ran.out,
      /route #2 "default" of reviews\.shop\.svc\.cluster\.local: v1 80%, v2 20%\nchanged cluster\/test: VirtualService shop\/reviews/,
    );
    const after = await live();
    assert.equal(
      after.spec,
      JSON.parse(JSON.stringify(before.spec).replace('"weight":90', '"weight":80').replace('"weight":10', '"weight":20')),
    );
    assert.equal(after.metadata.managedFields.map(({ manager, operation }) => `${manager} ${operation}`).sort(), [
      'fairlead-route Update',
      'team Apply',
    ]);
    // Whoever applies it declaratively is told that somebody else has changed it, and not overruled in silence.
    const again = await api.admin
      .request(`${path}?fieldManager=team`, {
        method: 'PATCH',
        contentType: 'application/apply-patch+yaml',
        body: { apiVersion: before.apiVersion, kind: before.kind, metadata: { name: 'reviews', namespace: 'shop' }, spec: before.spec },
      })
      .then(
        () => 'taken',
        (error: Error) => error.message,
      );
    assert.match(again, /conflict with "fairlead-route".*\.spec\.http/);
    assert.match((await route('split reviews v1=80 v2=20 -k -n shop')).out, /nothing to change/);
  });

  test('every edit, listed and shown as the cluster has it', async () => {
    for (const [args, says] of [
      ['timeout reviews 2s', /timeout 2s/],
      ['retry reviews 3 --on 5xx', /3 retries/],
      ['fault reviews --abort 503 --percent 1', /1% fail with 503/],
      ['mirror reviews --to v2 --percent 5', /5% are copied to v2/],
      ['set reviews beta --header x-beta=yes --to v2', /added route "beta"/],
    ] as const) {
      const ran = await route(`${args} -k -n shop`);
      assert.is(ran.code, 0, `${args}: ${ran.err}`);
      assert.match(ran.out, says);
    }
    const { spec } = await live();
    assert.equal(
      spec.http.map(({ name }) => name),
      ['beta', 'testers', 'default'],
    );
    assert.is(spec.http[2]?.timeout, '2s');
    const listed = await route('list reviews -k -n shop');
    assert.match(listed.out, /#?3 +default[\s\S]*timeout 2s/);
    assert.match((await route('show reviews -k -n shop')).out, /# cluster\/test: VirtualService shop\/reviews/);
    assert.match((await route('remove reviews -r beta -k -n shop')).err, /say --yes/);
    assert.is((await route('remove reviews -r beta -k -n shop --yes')).code, 0);
    for (const args of ['timeout reviews off', 'fault reviews --off', 'mirror reviews --off'])
      assert.is((await route(`${args} -k -n shop`)).code, 0, args);
    assert.equal(await split(), [80, 20]);
  });

  test('what would be wrong is refused, by our rules and by the API server’s, and nothing is written', async () => {
    const { metadata } = await live();
    for (const [args, code, says] of [
      [
        'set reviews wrong --path ~( --to v2 -k -n shop',
        3,
        /would not be right after this change[\s\S]*VirtualService shop\/reviews[\s\S]*regex/,
      ],
      ['split reviews v1=50 nobody.shop/=50 -k -n shop', 2, /there is no service nobody\.shop/],
      ['split reviews v9=100 -k -n shop', 2, /has no subset v9/],
      ['mirror reviews --to nobody.elsewhere/ -k -n shop', 2, /there is no service nobody\.elsewhere/],
      ['timeout reviews 2s -k -n shop -f mesh', 2, /--config/],
      ['timeout reviews 2s -k', 2, /there is no service reviews/],
    ] as const) {
      const ran = await route(args);
      assert.is(ran.code, code, `${args}: ${ran.err}${ran.out}`);
      assert.match(ran.err, says, args);
    }
    assert.is((await live()).metadata.resourceVersion, metadata.resourceVersion);
  });

  test('who may only read is told what is missing', async () => {
    await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'reader', namespace: 'shop' } });
    await api.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'reader' },
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] }],
    });
    await api.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'shop' }],
    });
    const kubeconfig = api.kubeconfigFor('reader', await tokenOf(api, 'shop', 'reader'));
    const ran = await route('timeout reviews 5s -k -n shop', kubeconfig);
    assert.is(ran.code, 3);
    assert.match(ran.err, /cannot patch resource "virtualservices"/);
  });

  test('a change that is made meanwhile is never lost: of labels it is kept, of the route it stops the edit', async () => {
    const now = await live();
    const source = { file: 'x', positionOf: () => ({ file: 'x', line: 0, column: 0 }) };
    const change = {
      ref: { apiVersion: now.apiVersion, kind: now.kind, name: 'reviews', namespace: 'shop' },
      before: { value: now, source },
      after: { ...now, spec: { ...now.spec, http: now.spec.http.map((r) => ({ ...r, timeout: '7s' })) } },
    } as unknown as ObjectChange;
    await api.patch(reviews({}), { metadata: { labels: { team: 'a' } } });
    // Somebody labels it between each read and write.
    let labels = 0;
    const racing = {
      ...api.admin,
      async request(at: string, more: Parameters<typeof api.admin.request>[1]) {
        if (more?.method === 'PATCH' && labels++ < 2) await api.patch(reviews({}), { metadata: { labels: { n: String(labels) } } });
        return api.admin.request(at, more);
      },
    };
    await writeObjects(racing, [change], false);
    const after = await live();
    assert.is(labels, 3);
    assert.equal(after.metadata['labels'], { team: 'a', n: '2' });
    assert.is(after.spec.http[1]?.timeout, '7s');
    // The same change once more: the routes are not those it was made of.
    const error = await writeObjects(api.admin, [change], false).then(
      () => assert.unreachable('it is another route'),
      (thrown: Error & { code?: string }) => thrown,
    );
    assert.is(error?.code, 'E_OBJECT_CHANGED');
    assert.match(String(error?.message), /VirtualService shop\/reviews was changed by fairlead-route in the meantime/);
    assert.is((await route('timeout reviews off -k -n shop -r default')).code, 0);
    assert.is((await route('timeout reviews off -k -n shop -r testers')).code, 0);
  });

  test('who would take a change back is named', async () => {
    for (const [metadata, says] of [
      [
        { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:networking.istio.io/VirtualService:shop/reviews' } },
        /is Argo CD’s \(argocd\.argoproj\.io\/tracking-id=shop:.*ignoreDifferences/,
      ],
      [
        { labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } },
        /is Flux’s \(kustomize\.toolkit\.fluxcd\.io\/name=apps\).*reconcile=disabled/,
      ],
      [
        { ownerReferences: [{ apiVersion: 'flagger.app/v1beta1', kind: 'Canary', name: 'reviews', uid: 'u-1', controller: true }] },
        /is Canary reviews’s/,
      ],
    ] as const) {
      await api.patch(reviews({}), { metadata });
      const ran = await route('timeout reviews 2s -k -n shop --dry-run');
      assert.is(ran.code, 0, ran.err);
      assert.match(ran.err, new RegExp(`warning: VirtualService shop/reviews ${says.source}`));
      await api.patch(reviews({}), {
        metadata: { ...Object.fromEntries(Object.keys(metadata).map((key) => [key, null])) },
      });
    }
    assert.not.match((await route('timeout reviews 2s -k -n shop --dry-run')).err, /warning/);
  });

  const steps = '--to v2 --steps 30,60,100 --every 500ms --min-requests 10 --gate errors<5% -k -n shop';
  const agentUrl = (): string => `unix:${join(state, 'agent', 'agent.sock')}`;
  /** Requests without end; the bodies of the last ones. */
  async function withTraffic<T>(work: () => Promise<T>): Promise<T> {
    let on = true;
    const asking = [0, 1].map(async () => {
      while (on) {
        await get(proxyPort, 'http://reviews.shop/');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    try {
      return await work();
    } finally {
      on = false;
      await Promise.all(asking);
    }
  }

  test('a shift needs an agent that is named, and that reads this cluster', async () => {
    const unnamed = await route(`shift reviews ${steps}`);
    assert.is(unnamed.code, 2, unnamed.err);
    assert.match(unnamed.err, /which requests are to be watched\?[\s\S]*--agent/);
    const mesh = join(state, 'mesh');
    mkdirSync(mesh);
    writeFileSync(join(mesh, 'a.yaml'), 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n');
    const socket = join(state, 'files', 'agent.sock');
    const ofFiles = startFairlead(['agent', 'run', '-f', mesh, '--data', join(state, 'files'), '--api-port', '0', '--metrics-port', '0']);
    try {
      await until('the agent of files runs', () => existsSync(socket), 60_000);
      await until('it is refused', async () =>
        /this agent reads files/.test((await route(`shift reviews ${steps} --agent unix:${socket}`)).err),
      );
    } finally {
      ofFiles.child.kill('SIGTERM');
      await ofFiles.ended;
    }
    agent = startFairlead(
      ['agent', 'run', '-k', '--data', join(state, 'agent'), '--api-port', String(apiPort), '--metrics-port', '0'],
      env(),
    );
    await until('the agent runs', () => /the agent runs/.test(agent!.err()), 60_000).catch((error: Error) => {
      throw new Error(`${error.message}\n${agent?.err()}`);
    });
    await until('requests are answered', async () => /^v[12]$/.test(await get(proxyPort, 'http://reviews.shop/')));
  });

  test('a good version gets all the traffic, step by step, and a foreign route stays', async () => {
    await edit({ ...(await live()).spec });
    const before = await live();
    const ran = await withTraffic(() => route(`shift reviews ${steps} --agent ${agentUrl()}`));
    assert.is(ran.code, 0, ran.err + ran.out);
    assert.match(ran.err, /^30 % {3}applied on \d+ prox/m);
    assert.match(ran.err, /^100 % {2}\d+ requests, errors 0 %: passed$/m);
    assert.match(ran.out, /v1 80%, v2 20% -> v1 0%, v2 100%/);
    assert.equal(await split(), [0, 100]);
    const after = await live();
    assert.equal(after.spec.http[0], before.spec.http[0]);
    assert.equal(after.spec.http[1]?.route[0]?.headers, before.spec.http[1]?.route[0]?.headers);
    for (let i = 0; i < 20; i++) assert.is(await get(proxyPort, 'http://reviews.shop/'), 'v2');
  });

  test('the agent of a pod is reached through a forwarded port', async () => {
    await createNode(api, 'node-1', kubelet);
    await createPod(api, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'gateway-1', namespace: 'shop', labels: { app: 'gateway' } },
      spec: { serviceAccountName: 'default', nodeName: 'node-1', containers: [{ name: 'istio-proxy', image: 'fairlead:1' }] },
    });
    kubelet.pods.set('shop/gateway-1', { ports: { 15000: apiPort }, containers: {} });
    assert.is((await route('split reviews v1=80 v2=20 -k -n shop')).code, 0);
    const ran = await withTraffic(() => route(`shift reviews ${steps} --agent gateway-1`));
    assert.is(ran.code, 0, ran.err + ran.out);
    assert.match(ran.out, /v1 80%, v2 20% -> v1 0%, v2 100%/);
    await until('nothing stays open', () => kubelet.streams() === 0);
    kubelet.pods.set('shop/gateway-1', { ports: {}, containers: {} });
    const deaf = await route(`shift reviews ${steps} --agent gateway-1`);
    assert.is(deaf.code, 3, deaf.err);
    assert.match(deaf.err, /the pod shop\/gateway-1 cannot be asked: nothing listens on port 15000/);
    assert.match((await route(`shift reviews ${steps} --agent gateway-9`)).err, /gateway-9/);
  });

  test('a bad version is taken back by itself, also when the API server is away just then', async () => {
    assert.is((await route('split reviews v1=90 v2=10 -k -n shop')).code, 0);
    const before = await live();
    const [, v2] = backends;
    v2!.failing = true;
    try {
      await withTraffic(async () => {
        const ran = await route(`shift reviews ${steps} --agent ${agentUrl()}`);
        assert.is(ran.code, 1, ran.err + ran.out);
        assert.match(ran.err, /errors<5% does not hold: [\d.]+ % of \d+ requests/);
        assert.match(ran.out, /went back to v1 90%, v2 10% from 30 %/);
      });
      assert.equal((await live()).spec, before.spec);
      const running = startFairlead(
        [
          'route',
          'shift',
          'reviews',
          ...steps.replace('10 --gate', '1000000 --gate').replace('500ms', '60s').split(' '),
          '--agent',
          agentUrl(),
        ],
        env(),
      );
      await until('the first step', () => running.err().includes('applied'), 30_000).catch((error: Error) => {
        throw new Error(`${error.message}\n${running.err()}`);
      });
      assert.equal(await split(), [70, 30]);
      await api.kill();
      running.child.kill('SIGINT');
      await until('it cannot be put back', () => /cannot be put back yet, and it is tried again/.test(running.err()), 30_000);
      await api.restart();
      assert.is(await running.ended, 1, running.err());
      assert.match(running.out(), /went back to v1 90%, v2 10% from 30 %: it was stopped/);
    } finally {
      v2!.failing = false;
    }
    assert.equal((await live()).spec, before.spec);
  });

  test('one that is killed goes on where it was', async () => {
    const args = ['route', 'shift', 'reviews', ...steps.replace('500ms', '60s').split(' '), '--agent', agentUrl()];
    const killed = startFairlead(args, env());
    await until('the first step', () => killed.err().includes('applied'), 30_000);
    killed.child.kill('SIGKILL');
    await killed.ended;
    assert.equal(await split(), [70, 30]);
    const ran = await withTraffic(() => route(`shift reviews ${steps} --agent ${agentUrl()}`));
    assert.is(ran.code, 0, ran.err);
    assert.match(ran.err, /going on with the shift of .*, which ended at 30 %/);
    assert.match(ran.out, /v1 90%, v2 10% -> v1 0%, v2 100%/);
  });

  test('what somebody else changes meanwhile stops it and is left alone; beside the route it is kept', async () => {
    assert.is((await route('split reviews v1=90 v2=10 -k -n shop')).code, 0);
    const args = ['route', 'shift', 'reviews', ...steps.replace('500ms', '2s').split(' '), '--agent', agentUrl()];
    const [testers, other] = (await live()).spec.http;
    await withTraffic(async () => {
      const running = startFairlead(args, env());
      await until('the first step', () => running.err().includes('applied'), 30_000);
      const now = await live();
      // Another route comes before it, and it gets a timeout: both stay.
      await edit({ ...now.spec, http: [{ ...testers, name: 'new' }, testers, { ...now.spec.http[1], timeout: '9s' }] });
      await until('the second step', () => /^60 % {3}applied/m.test(running.err()), 30_000);
      const second = await live();
      assert.is(second.spec.http[2]?.timeout, '9s');
      assert.equal(await split(), [40, 60]);
      await edit({
        ...second.spec,
        http: [
          testers,
          {
            ...second.spec.http[2],
            route: [
              { ...other?.route[0], weight: 55 },
              { ...other?.route[1], weight: 45 },
            ],
          },
        ],
      });
      assert.is(await running.ended, 3, running.err());
      assert.match(running.err(), /VirtualService shop\/reviews has v1 55%, v2 45% now: it was changed by kubectl-edit/);
    });
    assert.equal(await split(), [55, 45]);
  });

  test('with the real Envoy in place of the embedded proxy: both ways', async () => {
    const envoy = realEnvoy();
    if ('missing' in envoy) {
      console.log(`SKIP a shift with Envoy: ${envoy.missing}`);
      return;
    }
    agent?.child.kill('SIGTERM');
    await agent?.ended;
    assert.is((await route('split reviews v1=90 v2=10 -k -n shop')).code, 0);
    agent = startFairlead(['agent', 'run', '-k', '--data', join(state, 'agent'), '--api-port', '0', '--metrics-port', '0'], {
      ...env(),
      FAIRLEAD_ENGINE: 'envoy',
      ENVOY_PATH: envoy.path,
    });
    await until('requests are answered', async () => /^v[12]$/.test(await get(proxyPort, 'http://reviews.shop/')), 60_000);
    const [, v2] = backends;
    await withTraffic(async () => {
      v2!.failing = true;
      const back = await route(`shift reviews ${steps} --agent ${agentUrl()}`);
      assert.is(back.code, 1, back.err + back.out);
      assert.match(back.out, /went back to v1 90%, v2 10% from 30 %: errors<5% does not hold/);
      assert.equal(await split(), [90, 10]);
      v2!.failing = false;
      const ran = await route(`shift reviews ${steps} --agent ${agentUrl()}`);
      assert.is(ran.code, 0, ran.err + ran.out);
    });
    assert.equal(await split(), [0, 100]);
    for (let i = 0; i < 20; i++) assert.is(await get(proxyPort, 'http://reviews.shop/'), 'v2');
  });
}

test.run();
