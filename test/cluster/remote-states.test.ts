// test: exclusive
/** How proxies in pods stand, through a real API server: Istio's Envoys in every state, an agent of Fairlead, and many at once. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DoctorReport } from '../../src/doctor/types.ts';
import { startBackend } from '../support/backend.ts';
import { bin, type Ran } from '../support/cli.ts';
import { createPod } from '../support/fake-kubelet.ts';
import { until } from '../support/http.ts';
import { startIstioEnvoy } from '../support/istio-envoy.ts';
import { service, startMesh, testPort, workload } from '../support/mesh.ts';
import { podOf, ready, startRemoteCluster } from '../support/remote-cluster.ts';
import { startSilentAds } from '../support/silent-ads.ts';

const started = await startRemoteCluster();
if ('missing' in started) {
  console.log(`SKIP proxies of a cluster: ${started.missing}`);
  test('there is no API server or no Envoy on this machine', () => undefined);
} else {
  const { api, kubelet, istio, run, stop } = started;
  test.after(stop);

  test('ps has a row for each proxy, whatever becomes of the others', async () => {
    const { code, out, err } = await run('ps -k -n shop --timeout 5s');
    assert.is(code, 3, err);
    assert.match(out, /^NAME +CLUSTER +ISTIOD +VERSION +SYNC +SINCE/);
    assert.match(out, /web-6f7d9\.shop +test +- +istio-1\.27\.1 \(envoy-1\.40\.0\) +STATIC/);
    assert.match(out, /deaf\.shop +test +- +- +UNREACHABLE/);
    assert.match(out, /waiting\.shop: the pod shop\/waiting does not run: it is Pending/);
    assert.not.match(out, /bare/);
    const json = JSON.parse((await run('ps -k deployment/web.shop -o json')).out) as {
      proxies: { name: string; kind: string; sync: string }[];
    };
    assert.equal(
      json.proxies.map(({ name, kind, sync }) => [name, kind, sync]),
      [['web-6f7d9.shop', 'envoy', 'STATIC']],
    );
  });

  test('doctor follows the causes from the pod to its endpoints', async () => {
    const states = async (args: string): Promise<{ code: number | null; of: Record<string, string>; out: string }> => {
      const { code, out, err } = await run(`doctor -k ${args} -o json`);
      assert.ok(out.startsWith('{'), err);
      const { checks } = JSON.parse(out) as DoctorReport;
      return { code, of: Object.fromEntries(checks.map(({ id, state }) => [id, state])), out };
    };
    const well = await states('deployment/web.shop');
    assert.is(well.code, 0, well.out);
    assert.equal(well.of, {
      'pod/running': 'ok',
      'pod/proxy': 'ok',
      'proxy/reachable': 'ok',
      'proxy/ready': 'ok',
      'config/synced': 'nothing',
      'certificates/expiry': 'nothing',
      'listeners/present': 'ok',
      'endpoints/healthy': 'ok',
    });
    const waiting = await states('waiting.shop');
    assert.is(waiting.code, 1);
    assert.is(waiting.of['pod/running'], 'failed');
    assert.is(waiting.of['endpoints/healthy'], 'skipped');
    const bare = await run('doctor -k bare.shop');
    assert.match(bare.out, /no container of it is a proxy: app, other/);
    const deaf = await run('doctor -k deaf.shop');
    assert.match(deaf.out, /nothing listens on port 15000 of it[\s\S]*not looked at, because proxy\/reachable failed: proxy\/ready/);
    const gone = await run('doctor -k gone.shop');
    assert.is(gone.code, 1);
    assert.match(gone.out, /there is no pod shop\/gone/);
    const nobody = await run('doctor -k');
    assert.is(nobody.code, 2);
    assert.match(nobody.err, /-k looks at one pod, and none is named/);
    assert.match((await run('doctor -k --list')).out, /endpoints\/healthy/);
  });

  test('an agent of Fairlead in a pod is known as one, and all commands read its proxy', async () => {
    const backend = await startBackend('shop');
    const port = String(testPort());
    const mesh = await startMesh({
      'shop.yaml': `${service('shop')}${workload('shop', { app: 'shop' }, backend.port, { 'fairlead.dev/http-proxy-port': port })}`,
    });
    try {
      const url = mesh.agent.api.url ?? '';
      await createPod(api, podOf('own', { args: ['agent', 'run', '--kubernetes'] }), ready);
      const exec = ([program, ...args]: readonly string[]): string[] | undefined =>
        program === 'fairlead' ? [process.execPath, bin, ...args, '--agent', url] : undefined;
      kubelet.pods.set('shop/own', { ports: { 15000: Number(new URL(url).port) }, containers: { 'istio-proxy': { exec } } });
      const row = await run('ps -k own.shop');
      assert.is(row.code, 0, row.err);
      assert.match(row.out, /own\.shop +test +fairlead-agent +embedded-\S+ +SYNCED +\d+s/);
      for (const via of ['port-forward', 'exec']) {
        const clusters = await run(`pc clusters -k own.shop --via ${via}`);
        assert.is(clusters.code, 0, clusters.err);
        assert.match(clusters.out, /shop\.default\.svc\.cluster\.local +80 +- +outbound/);
      }
      assert.match((await run('pc endpoint -k own.shop')).out, new RegExp(`127\\.0\\.0\\.1:${backend.port} +HEALTHY`));
      assert.match((await run('pc log -k own.shop --level debug')).out, /debug/);
      assert.match((await run('explain -k --pod own.shop http://shop/')).out, new RegExp(`127\\.0\\.0\\.1:${backend.port}`));
      const doctor = await run('doctor -k own.shop');
      assert.is(doctor.code, 0, doctor.out);
      assert.match(doctor.out, /in sync by fairlead-agent/);
    } finally {
      await mesh.close();
      await backend.close();
    }
  });

  test('a proxy with a stream to its control plane is in sync, and one that lost it is stale', async () => {
    const ads = await startSilentAds();
    const envoy = await startIstioEnvoy({}, ads.port);
    if ('missing' in envoy) throw new Error(envoy.missing);
    try {
      await createPod(api, podOf('streaming'), ready);
      kubelet.pods.set('shop/streaming', { ports: { 15000: envoy.adminPort }, containers: {} });
      const is = (sync: string) => async () => new RegExp(`streaming\\.shop .* ${sync} `).test((await run('ps -k streaming.shop')).out);
      await until('it is in sync', is('SYNCED'));
      assert.match((await run('doctor -k streaming.shop')).out, /it has what its control plane wants it to have: in sync/);
      ads.close();
      await until('it is stale', is('STALE'));
      const doctor = await run('doctor -k streaming.shop');
      assert.is(doctor.code, 1);
      assert.match(doctor.out, /it is STALE: it has no\s+stream\s+to\s+its\s+control\s+plane/);
    } finally {
      ads.close();
      await envoy.close();
    }
  });

  test('many proxies are asked several at once, and not all at once', async () => {
    const names = Array.from({ length: 24 }, (_, i) => `many-${i}`);
    for (const name of names) {
      const pod = podOf(name);
      pod.metadata.namespace = 'other';
      await createPod(api, pod, ready);
      kubelet.pods.set(`other/${name}`, { ports: { 15000: istio.adminPort }, containers: {} });
    }
    const { code, out, err } = await run('ps -k -n other');
    assert.is(code, 0, err);
    assert.is(out.split('\n').filter((line) => /^many-\d+\.other .* STATIC/.test(line)).length, names.length);
    assert.ok(kubelet.mostStreams() > 1 && kubelet.mostStreams() <= 8, `${kubelet.mostStreams()} at once`);
  });

  test('what an Envoy refuses now is an error in ps', async () => {
    istio.breakListeners();
    let ran: Ran | undefined;
    await until('it is refused', async () => {
      ran = await run('ps -k web-6f7d9.shop');
      return /ERROR/.test(ran.out);
    });
    assert.is(ran?.code, 1);
    assert.match(ran?.out ?? '', /web-6f7d9\.shop: refused: listener 0\.0\.0\.0_81: /);
    const doctor = await run('doctor -k web-6f7d9.shop');
    assert.is(doctor.code, 1);
    assert.match(doctor.out, /1 resource refused[\s\S]*no\.such\.filter/);
  });
}

test.run();
