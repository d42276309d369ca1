// test: exclusive
/** `fairlead bug-report -k` on a real API server: every proxy that answers, the mesh's objects, and no secret of any of them. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fairlead, type Ran, startFairlead } from '../support/cli.ts';
import { createDefinitions, namespaceOf, routeOf, serviceOf } from '../support/cluster-objects.ts';
import { createNode, createPod, startFakeKubelet } from '../support/fake-kubelet.ts';
import { until } from '../support/http.ts';
import { startIstioEnvoy } from '../support/istio-envoy.ts';
import { type KubeObject, startKubeApi, tokenOf } from '../support/kube-api.ts';
import { holdsNone, openReport } from '../support/report.ts';
import { withScratch } from '../support/scratch.ts';

const SECRETS = [
  'planted-secret-data',
  'planted-secret-string',
  'planted-route-header',
  'planted-env-value',
  'planted-annotation',
  'planted-event-token',
  'planted-mesh-password',
  'planted-proxy-log',
  'planted-istiod-log',
  'planted-previous-log',
  'planted-envoy-header',
  'planted-argument',
];

const started = await startKubeApi();
const istio =
  'missing' in started
    ? started
    : await startIstioEnvoy({
        // What an EnvoyFilter may put in: Envoy itself hides none of it.
        layered_runtime: { layers: [{ name: 'static', static_layer: { proxy: { api_token: SECRETS[10], fine: 'harmless' } } }] },
      });
if ('missing' in started || 'missing' in istio) {
  console.log(`SKIP a report of a cluster: ${'missing' in started ? started.missing : 'missing' in istio && istio.missing}`);
  test('there is no API server or no Envoy on this machine', () => undefined);
} else {
  const api = started;
  const kubelet = await startFakeKubelet();
  const run = (args: string, cwd: string, kubeconfig = api.kubeconfig): Promise<Ran> =>
    fairlead(args.split(' '), { cwd, env: { KUBECONFIG: kubeconfig } });
  const podOf = (name: string, namespace: string, container = 'istio-proxy'): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name }, annotations: { 'example.com/password': SECRETS[4] } },
    spec: {
      nodeName: 'node-1',
      containers: [
        {
          name: container,
          image: 'proxy:1',
          env: [
            { name: 'DB_PASSWORD', value: SECRETS[3] },
            { name: 'PLAIN', value: SECRETS[3] },
            { name: 'ISTIO_META_CLUSTER_ID', value: 'stays' },
          ],
        },
        { name: 'app', image: 'app:1', command: ['serve'], args: ['--key', SECRETS[11]] },
      ],
    },
  });

  test.before(async () => {
    await createDefinitions(api);
    await createNode(api, 'node-1', kubelet);
    for (const name of ['shop', 'team-a', 'istio-system']) await api.create(namespaceOf(name));
    const running = (restartCount = 0, name = 'istio-proxy') => ({
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name, ready: true, restartCount, image: 'proxy:1', imageID: '', state: { running: {} } }],
    });
    await createPod(api, podOf('web', 'shop'), running(1));
    const log = `2026-01-01T00:00:00Z began\nauthorization: Bearer ${SECRETS[7]}\nended\npassword=${SECRETS[9]}\n`;
    kubelet.pods.set('shop/web', { ports: { 15000: istio.adminPort }, containers: { 'istio-proxy': { log } } });
    await createPod(api, podOf('deaf', 'shop'), running());
    kubelet.pods.set('shop/deaf', { ports: {}, containers: {} });
    await createPod(api, podOf('other', 'team-a'), running());
    kubelet.pods.set('team-a/other', { ports: { 15000: istio.adminPort }, containers: { 'istio-proxy': { log: 'quiet\n' } } });
    await createPod(api, podOf('istiod-1', 'istio-system', 'discovery'), running(0, 'discovery'));
    kubelet.pods.set('istio-system/istiod-1', {
      ports: {},
      containers: { discovery: { log: `info began\n{"token":"${SECRETS[8]}","a":1}\n` } },
    });
    await api.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'shop-cert', namespace: 'shop' },
      type: 'Opaque',
      data: { a: Buffer.from(SECRETS[0] as string).toString('base64') },
      stringData: { password: SECRETS[1] },
    });
    await api.create({
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata: { name: 'edge', namespace: 'shop' },
      spec: {
        selector: { app: 'web' },
        servers: [
          {
            port: { number: 443, name: 'https', protocol: 'HTTPS' },
            hosts: ['a.example'],
            tls: { mode: 'SIMPLE', credentialName: 'shop-cert' },
          },
        ],
      },
    });
    await api.create(serviceOf('web', 'shop', 80));
    await api.create(routeOf('web', 'shop', 'web', { headers: { request: { set: { authorization: `Basic ${SECRETS[2]}` } } } }));
    await api.create(routeOf('nowhere', 'team-a', 'nowhere'));
    await api.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio', namespace: 'istio-system' },
      data: { mesh: `accessLogFile: /dev/stdout\ndefaultConfig:\n  proxyMetadata:\n    PROXY_PASSWORD: ${SECRETS[6]}\n` },
    });
    await api.create({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e1', namespace: 'shop' },
      involvedObject: { kind: 'Pod', name: 'web', namespace: 'shop' },
      reason: 'Failed',
      message: `cannot log in with token=${SECRETS[5]} at registry`,
      type: 'Warning',
      firstTimestamp: new Date().toISOString(),
      lastTimestamp: new Date().toISOString(),
    });
  });
  test.after(async () => {
    await kubelet.close();
    await istio.close();
    await api.stop();
  });

  test(
    'proxies several at once, objects, events, findings and logs, and no secret',
    withScratch(async (folder) => {
      const { code, out, err } = await run('bug-report -k --output r.tar.gz --timeout 5s', folder);
      assert.is(code, 0, err);
      assert.match(out, /secrets taken out/);
      assert.match(out, /proxies\/shop\/deaf\/config_dump\.json: the pod shop\/deaf cannot be asked: nothing listens on port 15000/);
      assert.is(statSync(join(folder, 'r.tar.gz')).mode & 0o777, 0o600);
      const report = openReport(join(folder, 'r.tar.gz'), join(folder, 'opened'));
      for (const path of [
        'versions.json',
        'cluster/version.json',
        'cluster/pods.json',
        'cluster/findings.json',
        'cluster/objects/shop/VirtualService.json',
        'cluster/objects/shop/Service.json',
        'cluster/objects/shop/Pod.json',
        'cluster/objects/istio-system/ConfigMap.json',
        'proxies/team-a/other/clusters.json',
        'logs/shop/web/istio-proxy.previous.log',
      ])
        assert.ok(report.files.has(path), `${path}: ${[...report.files.keys()].join(' ')}`);
      assert.match(
        report.files.get('proxies/shop/web/config_dump.json') ?? '',
        /reviews\.shop\.svc\.cluster\.local[\s\S]*"fine": "harmless"|"fine": "harmless"/,
      );
      assert.match(report.files.get('cluster/events.json') ?? '', /cannot log in with token=\[redacted\] at registry/);
      assert.match(report.files.get('cluster/findings.json') ?? '', /IST0101/, 'the VirtualService nowhere has no host');
      assert.match(report.files.get('cluster/objects/istio-system/ConfigMap.json') ?? '', /accessLogFile: \/dev\/stdout/);
      assert.match(report.files.get('cluster/objects/shop/Pod.json') ?? '', /"ISTIO_META_CLUSTER_ID",\s+"value": "stays"/);
      assert.match(report.files.get('logs/shop/web/istio-proxy.log') ?? '', /began\nauthorization: \[redacted\]\nended/);
      assert.match(report.files.get('logs/istio-system/istiod-1/discovery.log') ?? '', /info began/);
      assert.not.ok([...report.files.keys()].some((path) => /Secret/.test(path)));
      holdsNone(report, SECRETS);
    }),
  );

  test(
    'namespaces are chosen, and a dry run names what would go in',
    withScratch(async (folder) => {
      const dry = await run('bug-report -k --include team-* --dry-run', folder);
      assert.is(dry.code, 0, dry.err);
      assert.match(dry.out, /proxies\/team-a\/other\/config_dump\.json/);
      assert.not.match(dry.out, /\/shop\//);
      const without = await run('bug-report -k --exclude team-a,istio-system --dry-run', folder);
      assert.match(without.out, /proxies\/shop\/web\/config_dump\.json/);
      assert.not.match(without.out, /team-a|istio-system/);
      assert.equal(readdirSync(folder), []);
    }),
  );

  test(
    'kubelets that hang cost their deadline and not the report',
    withScratch(async (folder) => {
      kubelet.silent = true;
      try {
        const { code, out, err } = await run('bug-report -k --include shop --timeout 1s --output r.tar.gz', folder);
        assert.is(code, 0, err);
        assert.match(out, /was not opened within 1 s|no whole answer within 1 s/);
        assert.ok(openReport(join(folder, 'r.tar.gz'), join(folder, 'opened')).files.has('cluster/objects/shop/VirtualService.json'));
      } finally {
        kubelet.silent = false;
      }
    }),
  );

  test(
    'Ctrl-C in the middle of it leaves no file',
    withScratch(async (folder) => {
      kubelet.silent = true;
      try {
        const before = kubelet.asked();
        const running = startFairlead(['bug-report', '-k', '--output', join(folder, 'r.tar.gz'), '--timeout', '60s'], {
          KUBECONFIG: api.kubeconfig,
        });
        await until('proxies are asked', () => kubelet.asked() > before);
        running.child.kill('SIGINT');
        assert.is(await running.ended, 130, running.err());
        assert.equal(readdirSync(folder), []);
      } finally {
        kubelet.silent = false;
      }
    }),
  );

  test(
    'who may read little gets a report of that, which says what is missing',
    withScratch(async (folder) => {
      await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'guest', namespace: 'shop' } });
      const kubeconfig = api.kubeconfigFor('guest', await tokenOf(api, 'shop', 'guest'));
      const { code, out, err } = await run('bug-report -k --output r.tar.gz', folder, kubeconfig);
      assert.is(code, 0, err);
      assert.match(out, /cannot list resource "pods"/);
      const { files, manifest } = openReport(join(folder, 'r.tar.gz'), join(folder, 'opened'));
      assert.ok(files.has('cluster/version.json'));
      assert.ok(manifest.leftOut.length >= 2);
      const nowhere = await run('bug-report -k --context nope --output x.tar.gz', folder);
      assert.is(nowhere.code, 3);
      assert.match(nowhere.err, /there is no context nope/);
      assert.not.ok(existsSync(join(folder, 'x.tar.gz')));
    }),
  );
}

test.run();
