// test: exclusive
/** Commands against proxies that run in pods, through a real API server: which is asked, how it is reached, and what is said when it cannot be. */
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Ran } from '../support/cli.ts';
import { createNode, createPod } from '../support/fake-kubelet.ts';
import { until } from '../support/http.ts';
import { type KubeObject, tokenOf } from '../support/kube-api.ts';
import { podOf, ready, startRemoteCluster } from '../support/remote-cluster.ts';

const started = await startRemoteCluster();
if ('missing' in started) {
  console.log(`SKIP proxies of a cluster: ${started.missing}`);
  test('there is no API server or no Envoy on this machine', () => undefined);
} else {
  const { api, kubelet, istio, run, stop } = started;
  test.after(stop);

  test('every kind of proxy-config reads an Istio proxy in a pod, by the pod or its Deployment', async () => {
    const routes = await run('pc routes -k web-6f7d9.shop');
    assert.is(routes.code, 0, routes.err);
    assert.match(routes.out, /80 +reviews\.shop\.svc\.cluster\.local:80 +reviews, reviews\.shop\S* .*\/v2\* +reviews\.shop/);
    for (const [command, shown] of [
      ['pc listeners -k deployment/web.shop', /0\.0\.0\.0 +80/],
      ['pc clusters -k deploy/web -n shop', /reviews\.shop\.svc\.cluster\.local +80 +v2 +outbound/],
      ['pc endpoint -k web-6f7d9 -n shop', /10\.1\.1\.1:9080 +HEALTHY/],
      ['pc eds -k web-6f7d9.shop', /10\.1\.1\.1/],
      ['pc bootstrap -k web-6f7d9.shop', /"ISTIO_VERSION": "1\.27\.1"/],
      ['pc ecds -k web-6f7d9.shop', /./],
      ['pc all -k web-6f7d9.shop', /0\.0\.0\.0 +80/],
      ['pc all -k web-6f7d9.shop -o json', /envoy\.admin\.v3\.ListenersConfigDump/],
      ['pc secret -k web-6f7d9.shop', /./],
    ] as const) {
      const { code, out, err } = await run(command);
      assert.is(code, 0, `${command}: ${err}`);
      assert.match(out, shown, command);
    }
    assert.is(kubelet.streams(), 0, 'nothing stays open');
  });

  test('log levels are shown and changed', async () => {
    const level = async (): Promise<string> =>
      await (await fetch(`http://127.0.0.1:${istio.adminPort}/logging`, { method: 'POST' })).text();
    const set = await run('pc log -k deployment/web.shop --level rbac:debug,lua:trace');
    assert.is(set.code, 0, set.err);
    assert.match(set.out, /rbac: debug/);
    assert.match(await level(), /lua: trace/);
    const back = await run('pc log -k web-6f7d9.shop --reset');
    assert.is(back.code, 0, back.err);
    assert.match(await level(), /lua: warning/);
  });

  test('stats are shown as they are, as JSON, and for Prometheus', async () => {
    const shown = await run('pc stats -k web-6f7d9.shop --filter ^listener_manager');
    assert.is(shown.code, 0, shown.err);
    assert.match(shown.out, /^listener_manager\.lds\.update_success: 1$/m);
    assert.not.match(shown.out, /^cluster/m);
    const stats = JSON.parse((await run('x envoy-stats -k deployment/web.shop --used -o json')).out) as { name: string; value: number }[];
    assert.is(stats.find(({ name }) => name === 'cluster_manager.cds.update_success')?.value, 1);
    assert.match((await run('pc stats -k web-6f7d9.shop -o prom')).out, /^# TYPE envoy_\w+ counter$/m);
    assert.match((await run('pc stats -k')).err, /say which pod’s proxy is meant/);
  });

  test('explain asks the proxy that runs', async () => {
    const { code, out, err } = await run('explain -k --pod deployment/web.shop http://reviews/v2/x');
    assert.is(code, 0, err);
    assert.match(out, /from web-6f7d9\.shop/);
    assert.match(out, /reviews\.shop\.svc\.cluster\.local:80 subset v2/);
    assert.match(out, /VirtualService shop\/reviews/);
    assert.match(out, /10\.1\.1\.1:9080/);
    const denied = await run('explain -k --pod web-6f7d9.shop http://reviews/other -o json');
    assert.match(denied.out, /403/);
    const other = await run('explain -k --pod web-6f7d9.shop --from shop.shop http://reviews/');
    assert.is(other.code, 2);
    assert.match(other.err, /is the pod of web-6f7d9\.shop, not of shop\.shop/);
  });

  test('computed and live stay apart', async () => {
    const computed = await run('pc clusters -k --proxy web-6f7d9.shop');
    assert.is(computed.code, 0, computed.err);
    assert.not.match(computed.out, /reviews/, 'the cluster has no such service: only the running proxy has');
    const both = await run('pc clusters -k web-6f7d9.shop --proxy web-6f7d9.shop');
    assert.is(both.code, 2);
    assert.match(both.err, /asks the proxy that runs in a pod, and --proxy has a config computed/);
    const file = await run('pc clusters -k web-6f7d9.shop -f mesh');
    assert.is(file.code, 2);
    assert.match(file.err, /-f has a config computed/);
  });

  test('an agent of a node is no proxy, and -k alone says what can be named', async () => {
    await createPod(api, podOf('node-agent', { container: 'agent', args: ['agent', 'run', '--kubernetes', '--pods', 'node'] }), ready);
    const rows = await run('ps -k -n shop --timeout 5s');
    assert.not.match(rows.out, /node-agent/);
    const { code, err } = await run('pc clusters -k');
    assert.is(code, 2);
    assert.match(err, /say whose config is meant[\s\S]*The proxy that runs in a pod is asked with -k POD\[\.NAMESPACE\]/);
  });

  test('what cannot be asked is said', async () => {
    for (const [command, code, said] of [
      ['pc routes -k waiting.shop', 3, /the pod shop\/waiting does not run: it is Pending \(Unschedulable\)/],
      ['pc routes -k web.shop', 2, /there is no pod shop\/web[\s\S]*There are: web-6f7d9\./],
      ['pc routes -k deployment/none.shop', 2, /there is no Deployment shop\/none/],
      ['pc routes -k deaf.shop', 3, /the pod shop\/deaf cannot be asked: nothing listens on port 15000 of it/],
      ['pc routes -k thing/web.shop', 2, /"thing\/web\.shop" names no pod and no workload/],
      ['pc routes -k bare.shop --via exec', 3, /has no proxy: no container istio-proxy[\s\S]*It has: app, other/],
      ['pc routes -k deaf.shop --via exec', 3, /executable file not found/],
      ['pc log -k', 2, /say which pod’s proxy is meant/],
      ['ps web', 2, /names a pod, and no cluster is asked/],
    ] as const) {
      const ran = await run(command);
      assert.is(ran.code, code, `${command}: ${ran.out}${ran.err}`);
      assert.match(ran.err, said, command);
      assert.not.match(ran.err, /\n\s+at /, 'no stack trace');
    }
  });

  test('a kubelet that never answers is given up at the deadline', async () => {
    kubelet.silent = true;
    try {
      const { code, err } = await run('pc routes -k web-6f7d9.shop --timeout 1s');
      assert.is(code, 3);
      assert.match(err, /within 1 s/);
    } finally {
      kubelet.silent = false;
    }
  });

  test('kubelets of before 1.36 forward ports as well', async () => {
    await createNode(api, 'old-node', kubelet, []);
    const pod = podOf('old');
    await createPod(api, { ...pod, spec: { ...(pod['spec'] as object), nodeName: 'old-node' } });
    kubelet.pods.set('shop/old', { ports: { 15000: istio.adminPort }, containers: {} });
    const { code, out, err } = await run('pc clusters -k old.shop');
    assert.is(code, 0, err);
    assert.match(out, /reviews\.shop\.svc\.cluster\.local +80 +v2/);
    await api.admin.request('/api/v1/namespaces/shop/pods/old?gracePeriodSeconds=0', { method: 'DELETE' });
  });

  test('exec does what forwarded ports do', async () => {
    const { code, out, err } = await run('pc clusters -k web-6f7d9.shop --via exec');
    assert.is(code, 0, err);
    assert.match(out, /reviews\.shop\.svc\.cluster\.local +80 +v2/);
    const level = await run('pc log -k web-6f7d9.shop --via exec --level admin:info');
    assert.match(level.out, /admin: info/);
  });

  test('only what docs/debugging.md grants is needed, and a refusal names verb and resource', async () => {
    await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'debugger', namespace: 'shop' } });
    const kubeconfig = api.kubeconfigFor('debugger', await tokenOf(api, 'shop', 'debugger'));
    const grant = async (name: string, rules: object[]): Promise<void> => {
      await api.create({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name, namespace: 'shop' },
        rules,
      } as KubeObject);
      await api.create({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name, namespace: 'shop' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name: 'debugger', namespace: 'shop' }],
      } as KubeObject);
    };
    await grant('read', [
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
      { apiGroups: [''], resources: ['pods/portforward', 'pods/exec'], verbs: ['get'] },
    ]);
    const asks = (args: string): Promise<Ran> => run(args, kubeconfig);
    await until('the role counts', async () => !/get resource|list resource/.test((await asks('pc routes -k web-6f7d9.shop')).err));
    const refused = await asks('pc routes -k web-6f7d9.shop');
    assert.is(refused.code, 3);
    assert.match(refused.err, /this user may not create pods\/portforward in namespace shop/);
    assert.match(refused.err, /Grant get and create on pods\/portforward/);
    const exec = await asks('pc routes -k web-6f7d9.shop --via exec');
    assert.match(exec.err, /this user may not create pods\/exec in namespace shop/);
    const rows = await asks('ps -k -n shop');
    assert.is(rows.code, 3);
    assert.match(rows.out, /web-6f7d9\.shop +\S+ +- +- +UNREACHABLE[\s\S]*may not create pods\/portforward/);
    await grant('forward', [{ apiGroups: [''], resources: ['pods/portforward'], verbs: ['create'] }]);
    await until('the second role counts', async () => (await asks('pc routes -k web-6f7d9.shop')).code === 0);
    assert.match((await asks('ps -k -A')).err, /cannot list resource "pods"/);
    writeFileSync(kubeconfig, readFileSync(kubeconfig, 'utf8').replace('user: debugger}', 'user: debugger, namespace: shop}'));
    const all = await asks('ps -k');
    assert.match(all.err, /note: proxies of namespace shop alone are shown: this user may not list pods in all of debugger/);
    assert.match(all.out, /web-6f7d9\.shop .* STATIC/);
  });
}

test.run();
