import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gatewayListenPort } from '../../src/mesh/gateways.ts';
import { findProxy, type Host, proxiesOf } from '../../src/mesh/proxies.ts';
import { doc, meshOf, proxyNamed } from './fixture.ts';

const host: Host = { addresses: ['10.0.0.1', '127.0.0.1'], nodeName: 'n1', pods: 'node' };
const we = (name: string, address = '127.0.0.1', more = '', metadata = ''): string =>
  doc('WorkloadEntry', name, `spec:\n  address: ${address}\n${more}`, metadata);
const pod = (name: string, node: string, labels: string, ip = '10.1.1.1'): string =>
  doc('Pod', name, `spec: {nodeName: ${node}, containers: [{name: c}]}\nstatus: {podIP: ${ip}}`, `labels: {${labels}}`);
const gateway = (name: string, selector: string): string =>
  doc('Gateway', name, `spec:\n  selector: {${selector}}\n  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]`);
const summary = (mesh: Awaited<ReturnType<typeof meshOf>>, at = host): string[] =>
  proxiesOf(mesh, at).map((p) => `${p.type} ${p.name}.${p.namespace} ${p.interception} ${p.httpProxyPort ?? '-'}`);

test('a host without workloads has a client, so that an HTTP proxy always works', async () => {
  const mesh = await meshOf('');
  assert.equal(summary(mesh), ['sidecar client.default NONE 15001']);
  assert.is(proxiesOf(mesh, host)[0]?.id, 'sidecar~127.0.0.1~client.default~default.svc.cluster.local');
});

test('local entries get sidecars, by address, loopback, socket or host name; others do not', async () => {
  const mesh = await meshOf(
    we('b') + we('a.shop', '10.0.0.1') + we('c', '10.0.0.2') + we('d', '127.9.9.9') + we('e', 'n1') + we('f', '"unix:///run/f.sock"'),
  );
  assert.equal(summary(mesh), [
    'sidecar b.default NONE 15001',
    'sidecar d.default NONE 15101',
    'sidecar e.default NONE 15102',
    'sidecar f.default NONE 15103',
    'sidecar a.shop NONE 15104',
  ]);
  assert.is(proxiesOf(mesh, host).at(-1)?.id, 'sidecar~10.0.0.1~a.shop~shop.svc.cluster.local');
});

const pods: [pods: Host['pods'], names: string[]][] = [
  ['none', ['client']],
  ['node', ['here']],
  ['all', ['here', 'there']],
];

for (const [which, names] of pods) {
  test(`pods: ${which}`, async () => {
    const mesh = await meshOf(
      pod('here', 'n1', 'a: b') +
        pod('there', 'n2', 'a: b') +
        doc('Pod', 'done', 'spec: {nodeName: n1, containers: [{name: c}]}\nstatus: {phase: Succeeded}'),
    );
    assert.equal(
      proxiesOf(mesh, { ...host, pods: which }).map((p) => p.name),
      names,
    );
  });
}

test('interception: annotation, MeshConfig, then REDIRECT for pods and NONE for entries', async () => {
  const text = pod('p', 'n1', 'a: b') + we('w') + we('t', '127.0.0.1', '', 'annotations: {sidecar.istio.io/interceptionMode: TPROXY}');
  const modes = async (config = {}): Promise<string[]> => summary(await meshOf(text, config));
  assert.equal(await modes(), ['sidecar p.default REDIRECT -', 'sidecar t.default TPROXY -', 'sidecar w.default NONE 15001']);
  assert.equal(await modes({ defaultConfig: { interceptionMode: 'NONE' } }), [
    'sidecar p.default NONE 15001',
    'sidecar t.default TPROXY -',
    'sidecar w.default NONE 15101',
  ]);
  assert.equal(await modes({ proxyHttpPort: 3128 }), [
    'sidecar p.default REDIRECT 3128',
    'sidecar t.default TPROXY 3128',
    'sidecar w.default NONE 3128',
  ]);
});

test('an annotation sets the port of the explicit proxy, and nobody else gets it', async () => {
  const mesh = await meshOf(we('a') + we('b', '127.0.0.1', '', 'annotations: {fairlead.dev/http-proxy-port: "15001"}') + we('c'));
  assert.equal(summary(mesh), ['sidecar a.default NONE 15101', 'sidecar b.default NONE 15001', 'sidecar c.default NONE 15102']);
});

test('annotations that cannot be read are errors', async () => {
  const mesh = await meshOf(
    we('a', '127.0.0.1', '', 'annotations: {fairlead.dev/http-proxy-port: "70000", sidecar.istio.io/interceptionMode: SOME}'),
  );
  assert.equal(
    mesh.problems.map((p) => `${p.severity} ${p.rule} ${p.path}`),
    [
      'error workload/annotation metadata.annotations["fairlead.dev/http-proxy-port"]',
      'error workload/annotation metadata.annotations["sidecar.istio.io/interceptionMode"]',
    ],
  );
});

test('a Gateway that no workload serves gets a router, named and labelled by its selector', async () => {
  const mesh = await meshOf(
    gateway('api', 'istio: ingressgateway') + gateway('api2.shop', 'istio: ingressgateway') + gateway('east', 'app: east') + we('w'),
  );
  const nodes = proxiesOf(mesh, host);
  assert.equal(summary(mesh), ['sidecar w.default NONE 15001', 'router ingressgateway.default NONE -', 'router east.default NONE -']);
  assert.equal(nodes[1]?.labels, { istio: 'ingressgateway' });
  assert.is(nodes[1]?.workload.kind, 'implied');
  assert.is(nodes[1]?.id, 'router~127.0.0.1~ingressgateway.default~default.svc.cluster.local');
  assert.equal(
    mesh.scope(nodes[1]!).gateways.map((g) => g.resource.metadata.name),
    ['api', 'api2'],
  );
});

test('a workload that a Gateway selects is a router; the Gateway needs no other', async () => {
  const mesh = await meshOf(gateway('api', 'istio: ingress') + we('edge', '127.0.0.1', '  labels: {istio: ingress}'));
  assert.equal(summary(mesh), ['router edge.default NONE -', 'sidecar client.default NONE 15001']);
  const elsewhere = await meshOf(gateway('api', 'istio: ingress') + we('edge', '10.0.0.2', '  labels: {istio: ingress}'));
  assert.equal(summary(elsewhere), ['sidecar client.default NONE 15001'], 'it is served on another host');
});

test('an empty selector is for every router, or for one of its own', async () => {
  const all = await meshOf(gateway('any', '') + gateway('api', 'istio: ingress'));
  assert.equal(summary(all), ['router ingress.default NONE -', 'sidecar client.default NONE 15001']);
  assert.is(all.scope(proxyNamed(all, 'ingress')).gateways.length, 2);
  const alone = await meshOf(gateway('any', ''));
  assert.equal(summary(alone), ['router any.default NONE -', 'sidecar client.default NONE 15001']);
});

test('a selector within another one is served by the same implied gateway', async () => {
  const mesh = await meshOf(gateway('a', 'istio: ingress') + gateway('b', 'istio: ingress, app: edge'));
  assert.equal(summary(mesh), ['router ingress.default NONE -', 'sidecar client.default NONE 15001']);
  assert.is(mesh.scope(proxyNamed(mesh, 'ingress')).gateways.length, 2);
});

const ports: [declared: number, listens: number][] = [
  [80, 8080],
  [443, 8443],
  [81, 8081],
  [1023, 9023],
  [8080, 8080],
  [15443, 15443],
];

for (const [declared, listens] of ports) {
  test(`an implied gateway listens on ${listens} for port ${declared}`, async () => {
    const mesh = await meshOf(gateway('api', 'istio: ingress'));
    assert.is(gatewayListenPort(mesh.scope(proxyNamed(mesh, 'ingress')), declared), listens);
  });
}

test('a gateway workload listens on the target port of the first service that selects it', async () => {
  const service = (metadata = ''): string =>
    doc('Service', 'gw', 'spec: {selector: {istio: ingress}, ports: [{name: http, port: 80, targetPort: 8888}]}', metadata);
  const text = gateway('api', 'istio: ingress') + we('edge', '127.0.0.1', '  labels: {istio: ingress}');
  const port = async (more: string): Promise<number> => {
    const mesh = await meshOf(text + more);
    return gatewayListenPort(mesh.scope(proxyNamed(mesh, 'edge')), 80);
  };
  assert.is(await port(service()), 8888);
  assert.is(await port(''), 80);
  assert.is(await port(service('labels: {experimental.istio.io/disable-gateway-port-translation: "true"}')), 80);
});

test('a proxy found by name is the one that runs on its host', async () => {
  const mesh = await meshOf(
    we('web') +
      we('api') +
      we('vm.shop', '10.0.0.1') +
      gateway('api-gw', 'istio: ingress') +
      pod('reviews-7d4c9-x2x4z', 'n1', 'pod-template-hash: 7d4c9'),
  );
  for (const node of proxiesOf(mesh, { ...host, addresses: ['127.0.0.1'] }))
    assert.is(findProxy(mesh, `${node.name}.${node.namespace}`), node);
  assert.is(proxyNamed(mesh, 'web').httpProxyPort, 15101);
  assert.is(proxyNamed(mesh, 'vm.shop').httpProxyPort, 15001, 'the first of its own host');
  assert.is(proxyNamed(mesh, 'reviews').name, 'reviews-7d4c9-x2x4z');
  assert.is(proxyNamed(mesh, 'ingress').type, 'router');
  assert.is(proxyNamed(mesh, 'client').workload.kind, 'implied');
});

test('a proxy found from its own host has the port that it has there', async () => {
  const mesh = await meshOf(we('a') + we('b', '10.0.0.1'));
  assert.is(proxyNamed(mesh, 'b').httpProxyPort, 15001, 'elsewhere nothing says that loopback is the same host');
  const running = proxiesOf(mesh, host).find((p) => p.name === 'b');
  assert.is(running?.httpProxyPort, 15101);
  assert.is(findProxy(mesh, 'b', host), running);
});

test('a name of several proxies, or of none, gives the names to choose from', async () => {
  const mesh = await meshOf(we('web') + we('web.shop') + we('api'));
  assert.equal(findProxy(mesh, 'web'), { candidates: ['web.default', 'web.shop'] });
  assert.is(proxyNamed(mesh, 'web.shop').namespace, 'shop');
  assert.equal(findProxy(mesh, 'nobody'), { candidates: ['api.default', 'client.default', 'web.default', 'web.shop'] });
});

test('a Deployment without pods is found, and sees what its pods will', async () => {
  const mesh = await meshOf(
    doc('Service', 'web', 'spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: main}]}') +
      doc(
        'Deployment',
        'web',
        'spec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: c, ports: [{name: main, containerPort: 8080}]}]}',
      ),
  );
  const node = proxyNamed(mesh, 'web');
  assert.is(node.interception, 'REDIRECT');
  assert.equal(
    mesh.scope(node).instances.map((i) => [i.service.host, i.port.number, i.targetPort]),
    [['web.default.svc.cluster.local', 80, 8080]],
  );
});

test('instances: services that select the workload, or whose endpoints name its address; oldest first', async () => {
  const mesh = await meshOf(
    doc('Service', 'b', 'spec: {selector: {app: x}, ports: [{name: http, port: 80, targetPort: 8080}]}') +
      doc('Service', 'a', 'spec: {selector: {app: x}, ports: [{name: http, port: 81}]}', 'creationTimestamp: "2024-01-01T00:00:00Z"') +
      doc('Service', 'hand', 'spec: {ports: [{name: http, port: 82}]}') +
      doc('Endpoints', 'hand', 'subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{name: http, port: 8082}]}]') +
      doc(
        'ServiceEntry',
        'se',
        'spec:\n  hosts: [se.example.com]\n  resolution: STATIC\n  ports: [{number: 83, name: http, protocol: HTTP}]\n  endpoints: [{address: 10.0.0.1, ports: {http: 8083}}]',
      ) +
      doc(
        'ServiceEntry',
        'sel',
        'spec:\n  hosts: [sel.example.com]\n  resolution: STATIC\n  ports: [{number: 84, name: web, protocol: HTTP}]\n  workloadSelector: {labels: {app: x}}',
      ) +
      we('w', '10.0.0.1', '  labels: {app: x}\n  ports: {web: 8084}'),
  );
  assert.equal(
    mesh.scope(proxyNamed(mesh, 'w')).instances.map((i) => `${i.service.name} ${i.port.number} ${i.targetPort}`),
    ['b 80 8080', 'hand 82 8082', 'se.example.com 83 8083', 'sel.example.com 84 8084', 'a 81 81'],
  );
});

test('instances of ServiceEntries that were united are found by the endpoints of each', async () => {
  const se = (name: string, port: number, address: string): string =>
    doc(
      'ServiceEntry',
      name,
      `spec:\n  hosts: [se.example.com]\n  resolution: STATIC\n  ports: [{number: ${port}, name: http-${port}, protocol: HTTP}]\n  endpoints: [{address: ${address}}]`,
    );
  const mesh = await meshOf(se('a', 80, '10.0.0.7') + se('b', 81, '10.0.0.1') + we('w', '10.0.0.1'));
  assert.equal(
    mesh.scope(proxyNamed(mesh, 'w')).instances.map((i) => [i.port.number, i.targetPort]),
    [[81, 81]],
  );
});

test('the same proxies are the same objects from one call to the next', async () => {
  const mesh = await meshOf(we('a') + gateway('g', 'istio: x'));
  const [first, second] = [proxiesOf(mesh, host), proxiesOf(mesh, host)];
  assert.ok(first.every((node, i) => node === second[i]));
  assert.is(mesh.scope(first[0]!), mesh.scope(second[0]!));
});

test.run();
