// test: exclusive
/** Pods whose connections are captured, each in a network namespace of its own, with the rules, the agent and Envoy as they are in a pod. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { injectPod } from '../../src/install/inject/inject-pod.ts';
import { call, capture, makeAuthority, runInitContainer, startApplication, startPodAgent } from '../support/captured-pod.ts';
import { bin } from '../support/cli.ts';
import { realEnvoy } from '../support/envoy.ts';
import { injectSettings } from '../support/inject.ts';
import { type Host, type Network, networkMissing, startNetwork } from '../support/network.ts';

const pod = (name: string, { v4, v6 }: Pick<Host, 'v4' | 'v6'>, more = ''): string => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: shop, labels: { app: ${name}, security.istio.io/tlsMode: istio }${more} }
spec: { serviceAccountName: ${name}, containers: [{ name: app, image: app }] }
status: { phase: Running, podIP: "${v4 || v6}", podIPs: [${[v4, v6].flatMap((ip) => (ip === '' ? [] : [`{ ip: "${ip}" }`])).join(', ')}] }
`;

const service = (name: string, last: number): string => `---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec:
  selector: { app: ${name} }
  clusterIP: 10.96.0.${last}
  clusterIPs: [10.96.0.${last}, "fd96::${last}"]
  ipFamilies: [IPv4, IPv6]
  ipFamilyPolicy: RequireDualStack
  ports: [{ name: http, port: 80, targetPort: 8080 }, { name: http-open, port: 70, targetPort: 7070 }, { name: tcp, port: 60, targetPort: 6060 }]
`;

const rules = `---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: shop }
spec: { mtls: { mode: STRICT } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: shop }
spec:
  hosts: [web]
  http:
  - match: [{ uri: { prefix: /old } }]
    rewrite: { uri: /new }
    headers: { request: { set: { x-routed: by-rule } } }
    route: [{ destination: { host: web, port: { number: 80 } } }]
  - route: [{ destination: { host: web } }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: web, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
  action: DENY
  rules: [{ to: [{ operation: { paths: [/secret], ports: ["8080"] } }] }]
`;

const OPEN = ', annotations: { traffic.sidecar.istio.io/excludeInboundPorts: "7070" }';

/** What injection makes of the pod web: how its init container is called, and what its sidecar is told. */
function injectedWeb(): { args: string[]; env: Record<string, string> } {
  const annotations = { 'sidecar.istio.io/interceptionMode': 'REDIRECT', 'traffic.sidecar.istio.io/excludeInboundPorts': '7070' };
  const check = (path: string): object => ({ httpGet: { path, port: 8080 } });
  const container = { name: 'app', image: 'app', readinessProbe: check('/ready'), livenessProbe: check('/sick') };
  const made = injectPod({ metadata: { annotations }, spec: { containers: [container] } }, { namespace: 'shop', strict: false }, settings);
  if (!made.injected) throw new Error(made.why);
  const [init, sidecar] = made.pod.spec?.initContainers ?? [];
  const probes = String(sidecar?.env?.find(({ name }) => name === 'ISTIO_KUBE_APP_PROBERS')?.['value']);
  return { args: init?.['args'] as string[], env: { ISTIO_KUBE_APP_PROBERS: probes, INSTANCE_IP: web.v4 } };
}
const settings = { ...injectSettings, engine: 'envoy' as const };

const envoy = realEnvoy();
const missing = 'missing' in envoy ? envoy.missing : networkMissing();
const test = suite('captured pods');
let net: Network;
let client: Host;
let web: Host;
/** It has no IPv4 but loopback. */
let six: Host;
const folder = mkdtempSync(join(tmpdir(), 'fairlead-capture-'));

test.before(async () => {
  if (missing !== undefined || 'missing' in envoy) return;
  chmodSync(folder, 0o755);
  net = await startNetwork();
  net.name('10.96.0.10', 'web', 'web.shop.svc.cluster.local');
  net.name('10.96.0.11', 'client');
  client = await net.add('client');
  web = await net.add('web');
  six = await net.add('six', { ipv4: false });
  const mesh = join(folder, 'mesh');
  mkdirSync(mesh);
  writeFileSync(
    join(mesh, 'mesh.yaml'),
    pod('client', client) +
      pod('web', web, OPEN) +
      service('web', 10) +
      service('client', 11) +
      pod('six', { ...six, v4: '' }) +
      service('six', 12) +
      rules,
  );
  makeAuthority(folder);
  capture(client, '--exclude-outbound-ports', '9001');
  const { args, env } = injectedWeb();
  runInitContainer(web, args);
  capture(six);
  await startApplication(net.outside, 9000, 9001);
  await startApplication(web, 8080, 7070, 6060);
  await startApplication(client, 8080);
  await startApplication(six, 8080);
  const options = { envoy: envoy.path, mesh, folder };
  await Promise.all([
    startPodAgent(client, options),
    startPodAgent(web, { ...options, env }),
    startPodAgent(six, { ...options, env: { ...env, INSTANCE_IP: six.v6 } }),
  ]);
});

test.after(async () => {
  await net?.close();
  rmSync(folder, { recursive: true, force: true });
});

const check = missing === undefined ? test : test.skip;
if (missing !== undefined) console.log(`skipped: ${missing}`);

check('a call by name is routed by the VirtualService, over mutual TLS', () => {
  const { status, seen } = call(client, 'http://web/old/a');
  assert.is(status, 200);
  assert.is(seen?.url, '/new/a');
  assert.is(seen?.headers['x-routed'], 'by-rule');
  assert.match(seen?.headers['x-forwarded-client-cert'] ?? '', /URI=spiffe:\/\/cluster\.local\/ns\/shop\/sa\/client/);
  assert.is(seen?.to, 'web');
});

check('the application is called on the pod’s own address, by an address that is left alone', () => {
  const { seen } = call(client, 'http://web/');
  assert.match(seen?.at ?? '', new RegExp(`${web.v4}$`));
  assert.match(seen?.from ?? '', /127\.0\.0\.6$/);
});

check('an address that the mesh does not know is passed through, and the proxy knows of it', () => {
  const before = stat(client, 'cluster.PassthroughCluster;.upstream_cx_total');
  const { status, seen } = call(client, `http://${net.outside.v4}:9000/x`);
  assert.equal([status, seen?.to, seen?.headers['x-request-id']], [200, 'outside', undefined]);
  assert.is(stat(client, 'cluster.PassthroughCluster;.upstream_cx_total'), before + 1);
});

check('an excluded port is called past the proxy', () => {
  const before = stat(client, 'listener.0.0.0.0_15001.downstream_cx_total');
  assert.is(call(client, `http://${net.outside.v4}:9001/x`).status, 200);
  assert.is(stat(client, 'listener.0.0.0.0_15001.downstream_cx_total'), before);
  assert.is(call(client, `http://${net.outside.v4}:9000/x`).status, 200);
  assert.is(stat(client, 'listener.0.0.0.0_15001.downstream_cx_total'), before + 1);
});

check('plain text from outside the mesh is refused under STRICT, by either family', () => {
  assert.is(call(net.outside, `http://${web.v4}:8080/plain`).failed, 'ECONNRESET');
  assert.is(call(net.outside, `http://[${web.v6}]:8080/plain`).failed, 'ECONNRESET');
  assert.not.match(call(web, 'http://127.0.0.1:8080/hits').text ?? '', /plain/);
});

check('TCP goes over mutual TLS too, by the service’s address', () => {
  const { status, seen, failed } = call(client, 'http://web:60/');
  assert.equal([status, failed], [200, undefined]);
  assert.equal([status, seen?.port, seen?.headers['x-request-id']], [200, 6060, undefined]);
  assert.match(seen?.from ?? '', /127\.0\.0\.6$/);
  assert.is(call(net.outside, `http://${web.v4}:6060/`).failed, 'ECONNRESET');
});

check('an AuthorizationPolicy is enforced where the request arrives', () => {
  const { status, text } = call(client, 'http://web/secret');
  assert.equal([status, text], [403, 'RBAC: access denied']);
});

check('an excluded port of the pod is reached by all, in the mesh too: nobody speaks TLS to it', () => {
  assert.equal(
    [call(net.outside, `http://${web.v4}:7070/`)].map(({ status, seen }) => [status, seen?.port]),
    [[200, 7070]],
  );
  const { status, seen } = call(client, 'http://web:70/');
  assert.equal([status, seen?.port, seen?.headers['x-forwarded-client-cert']], [200, 7070, undefined]);
});

check('a call to the pod’s own service comes back over mutual TLS, once', () => {
  const { status, seen } = call(client, 'http://client/self');
  assert.is(status, 200);
  assert.match(seen?.headers['x-forwarded-client-cert'] ?? '', /Hash=.*sa\/client/);
  assert.is(call(client, 'http://127.0.0.1:8080/hits').text?.match(/\/self/g)?.length, 1);
});

check('an application reaches itself without its proxy, by loopback and by the pod’s address', () => {
  for (const address of ['127.0.0.1', '[::1]', client.v4, `[${client.v6}]`]) {
    const { status, seen } = call(client, `http://${address}:8080/own`);
    assert.equal([address, status, seen?.headers['x-forwarded-proto']], [address, 200, undefined]);
  }
});

check('connections to the proxy’s own ports end, and do not loop', () => {
  for (const [from, to] of [
    [net.outside, web],
    [client, web],
    [web, web],
  ] as const)
    for (const port of [15001, 15006]) {
      // Not all are taken: STRICT has no filter chain for plain text.
      const names = ['0.0.0.0_15001.downstream_cx_total', '0.0.0.0_15006.downstream_cx_total', '0.0.0.0_15006.no_filter_chain_match'];
      const count = (): number => names.reduce((sum, name) => sum + stat(web, `listener.${name}`), 0);
      const before = count();
      assert.ok(call(from, `http://${to.v4}:${port}/`).failed, `${from.name} ${port}`);
      const more = count() - before;
      // What is meant for these ports does not even leave a captured pod.
      assert.ok((from === client ? more === 0 : more > 0) && more <= 2, `${from.name} ${port}: ${more} connections`);
    }
});

check('IPv6 is captured as well: routed, mutual TLS, policies, and unknown addresses passed through', () => {
  const { status, seen } = call(client, 'http://[fd96::10]/old/b');
  assert.equal([status, seen?.url, seen?.headers['x-routed']], [200, '/new/b', 'by-rule']);
  assert.is(call(client, 'http://[fd96::10]/secret').status, 403);
  const direct = call(client, `http://[${net.outside.v6}]:9000/x`);
  assert.equal([direct.status, direct.seen?.to], [200, 'outside']);
  const open = call(net.outside, `http://[${web.v6}]:7070/`);
  assert.equal([open.status, open.seen?.port], [200, 7070]);
});

check('checks of the kubelet are answered by asking the application, although it takes mutual TLS alone', () => {
  const well = call(net.outside, `http://${web.v4}:15020/app-health/app/readyz`);
  assert.equal([well.status, well.text], [200, 'the application answers 200\n']);
  assert.is(call(net.outside, `http://${web.v4}:15020/app-health/app/livez`).status, 503);
  assert.match(call(web, 'http://127.0.0.1:8080/hits').text ?? '', /"\/ready","\/sick"/);
  assert.is(call(net.outside, `http://${web.v4}:15020/app-health/app/startupz`).status, 404);
  assert.is(call(net.outside, `http://${web.v4}:15020/healthz/ready`).status, 200);
});

check('a pod with IPv6 alone calls and is called', () => {
  assert.is(call(net.outside, `http://[${six.v6}]:15020/healthz/ready`).status, 200);
  assert.is(call(net.outside, `http://[${six.v6}]:15020/app-health/app/readyz`).status, 200);
  const out = call(six, `http://[${net.outside.v6}]:9000/x`);
  assert.equal([out.status, out.seen?.to], [200, 'outside']);
  assert.is(call(net.outside, `http://[${six.v6}]:8080/`).failed, 'ECONNRESET');
  const { status, seen } = call(client, 'http://[fd96::12]/in');
  assert.equal([status, seen?.to, seen?.from, seen?.at], [200, 'six', '::6', six.v6]);
  const self = call(six, 'http://[fd96::12]/self');
  assert.match(self.seen?.headers['x-forwarded-client-cert'] ?? '', /Hash=.*sa\/six/);
});

check('without rights, or only to see, nothing is changed', () => {
  const run = (who: 'app' | 'root', ...args: string[]) => web.run(who, process.execPath, bin, 'agent', 'capture', ...args);
  const rules = (): string => web.run('root', 'nft', 'list', 'ruleset').out;
  const before = rules();
  for (const command of ['apply --proxy-user 1', 'remove']) {
    const { code, out, err } = run('app', ...command.split(' '));
    assert.equal([code, out], [3, ''], command);
    assert.match(err, /may not change the rules of the network\n\nIt takes root, or the capability CAP_NET_ADMIN/);
    const seen = run('root', ...command.split(' '), '--dry-run');
    assert.is(seen.code, 0, seen.err);
    assert.match(seen.out, /^table inet fairlead\ndelete table inet fairlead\n/);
    assert.is(rules(), before);
  }
});

check('applied twice the rules are the same; removed, nothing of them is left, and calls go past the proxy', () => {
  const rules = (): string => web.run('root', 'nft', 'list', 'ruleset').out;
  const addresses = (): string => web.run('root', 'ip', '-6', 'addr', 'show', 'dev', 'lo').out;
  const once = rules();
  runInitContainer(web, injectedWeb().args);
  assert.is(rules(), once);
  assert.match(once, /table inet fairlead/);
  assert.match(addresses(), /::6\/128/);
  for (const time of ['first', 'second']) {
    const removed = web.run('root', process.execPath, bin, 'agent', 'capture', 'remove');
    assert.is(removed.code, 0, `${time}: ${removed.err}`);
    assert.is(rules(), '');
    assert.not.match(addresses(), /::6\//);
  }
  assert.is(call(net.outside, `http://${web.v4}:8080/`).status, 200);
  runInitContainer(web, injectedWeb().args);
  assert.is(call(net.outside, `http://${web.v4}:8080/`).failed, 'ECONNRESET');
});

/** A counter of the Envoy on a host; 0 while there is none. */
function stat(host: Host, name: string): number {
  const { text = '' } = call(host, `http://127.0.0.1:15000/stats?filter=${encodeURIComponent(name.replaceAll('.', '\\.'))}`);
  return Number(/: (\d+)$/m.exec(text)?.[1] ?? 0);
}

test.run();
