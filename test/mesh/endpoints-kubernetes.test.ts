import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addressesOf, doc, meshOf, serviceOf } from './fixture.ts';

const host = 'web.default.svc.cluster.local';
const service = (more = '', metadata = ''): string =>
  doc('Service', 'web', `spec:\n  selector: {app: web}\n  ports: [{name: http, port: 80, targetPort: web}]\n${more}`, metadata);
const slice = (name: string, endpoints: string, more = 'addressType: IPv4'): string =>
  doc(
    'EndpointSlice',
    name,
    `${more}\nports: [{name: http, port: 8080}, {name: admin, port: 9}]\nendpoints: ${endpoints}`,
    'labels: {kubernetes.io/service-name: web}',
  );
const pod = (name: string, status: string, metadata = '', spec = ''): string =>
  doc(
    'Pod',
    name,
    `spec:\n  nodeName: n1\n  serviceAccountName: web-sa\n  containers: [{name: c, ports: [{name: web, containerPort: 8080}]}]\n${spec}status: ${status}`,
    `labels: {app: web${metadata}}`,
  );

const states: [conditions: string, health: string][] = [
  ['{}', 'healthy'],
  ['{ready: true}', 'healthy'],
  ['{ready: false}', 'unhealthy'],
  ['{ready: false, serving: true, terminating: true}', 'gone'],
  ['{ready: false, serving: false, terminating: true}', 'gone'],
  ['{ready: false, serving: true}', 'unhealthy'],
];

for (const [conditions, health] of states) {
  test(`a slice's endpoint with conditions ${conditions} is ${health}`, async () => {
    const mesh = await meshOf(service() + slice('web-1', `[{addresses: [10.0.0.1], conditions: ${conditions}}]`));
    const web = serviceOf(mesh, host);
    assert.equal(
      mesh.endpoints(web, web.ports[0]!).map((e) => e.health),
      health === 'gone' ? [] : [health],
    );
  });
}

test('a terminating endpoint drains when the service keeps sessions', async () => {
  const mesh = await meshOf(
    service('', 'labels: {istio.io/persistent-session: cookie}') +
      slice(
        'web-1',
        '[{addresses: [10.0.0.1], conditions: {ready: false, serving: true, terminating: true}}, {addresses: [10.0.0.2], conditions: {ready: false, serving: false, terminating: true}}]',
      ),
  );
  const web = serviceOf(mesh, host);
  assert.equal(
    mesh.endpoints(web, web.ports[0]!).map((e) => `${e.address} ${e.health}`),
    ['10.0.0.1 draining'],
  );
});

test('the zone of a slice counts where neither the pod nor the node says where it is', async () => {
  const located = 'labels: {topology.kubernetes.io/region: r, topology.kubernetes.io/zone: z1}';
  const mesh = await meshOf(
    service() +
      doc('Node', 'n1', '', located) +
      slice('web-1', '[{addresses: [10.0.0.1], zone: z9}, {addresses: [10.0.0.2], zone: z9, nodeName: n1}, {addresses: [10.0.0.3]}]'),
  );
  const web = serviceOf(mesh, host);
  assert.equal(
    mesh.endpoints(web, web.ports[0]!).map((e) => [e.address, e.locality.zone, e.labels['topology.kubernetes.io/zone']]),
    [
      ['10.0.0.1', 'z9', 'z9'],
      ['10.0.0.2', 'z1', 'z1'],
      ['10.0.0.3', '', undefined],
    ],
  );
});

test('a pod without a place takes the zone of its slice', async () => {
  const mesh = await meshOf(
    service() +
      pod('web-1', '{podIP: 10.0.0.1, phase: Running}') +
      slice('web-1', '[{addresses: [10.0.0.1], zone: z9, targetRef: {kind: Pod, name: web-1}}]'),
  );
  const web = serviceOf(mesh, host);
  const [endpoint] = mesh.endpoints(web, web.ports[0]!);
  assert.equal([endpoint?.locality.zone, endpoint?.labels['topology.kubernetes.io/zone'], endpoint?.labels['app']], ['z9', 'z9', 'web']);
});

test('slices are joined by the name of the port; FQDN slices are skipped; an address counts once', async () => {
  const mesh = await meshOf(
    service() +
      slice('web-1', '[{addresses: [10.0.0.1]}]') +
      slice('web-2', '[{addresses: [10.0.0.2]}, {addresses: [10.0.0.1]}]') +
      slice('web-3', '[{addresses: [web.example.com]}]', 'addressType: FQDN'),
  );
  assert.equal(addressesOf(mesh, host), ['10.0.0.1:8080', '10.0.0.2:8080']);
});

test('an endpoint has the labels, place and identity of its pod', async () => {
  const mesh = await meshOf(
    service() +
      doc('Node', 'n1', '', 'labels: {topology.kubernetes.io/region: r, topology.kubernetes.io/zone: z, topology.istio.io/subzone: s}') +
      pod(
        'web-7d4c9-x2x4z',
        '{podIP: 10.0.0.1}',
        ', pod-template-hash: 7d4c9, security.istio.io/tlsMode: istio, topology.istio.io/network: net',
      ) +
      pod('own-place', '{podIP: 10.0.0.2}', ', istio-locality: a.b.c') +
      slice(
        'web-1',
        '[{addresses: [10.0.0.1], targetRef: {kind: Pod, name: web-7d4c9-x2x4z}}, {addresses: [10.0.0.2]}, {addresses: [10.0.0.3], nodeName: n1}]',
      ),
  );
  const web = serviceOf(mesh, host);
  const [one, two, stranger] = mesh.endpoints(web, web.ports[0]!);
  assert.equal(one?.workload, { name: 'web', namespace: 'default' });
  assert.equal(one?.locality, { region: 'r', zone: 'z', subzone: 's' });
  assert.is(one?.tlsMode, 'istio');
  assert.is(one?.serviceAccount, 'web-sa');
  assert.is(one?.nodeName, 'n1');
  assert.is(one?.network, 'net');
  assert.equal(
    [
      'app',
      'topology.kubernetes.io/region',
      'topology.kubernetes.io/zone',
      'topology.istio.io/subzone',
      'topology.istio.io/cluster',
      'kubernetes.io/hostname',
      'topology.istio.io/network',
    ].map((k) => one?.labels[k]),
    ['web', 'r', 'z', 's', 'Kubernetes', 'n1', 'net'],
  );
  assert.equal(two?.locality, { region: 'a', zone: 'b', subzone: 'c' }, 'the pod is found by its address; its label beats its node');
  assert.is(two?.tlsMode, 'disabled');
  assert.equal(stranger?.locality, { region: 'r', zone: 'z', subzone: 's' });
  assert.equal(stranger?.workload, { name: '', namespace: 'default' });
});

test('an Endpoints object serves where there is no slice, and gives way to slices', async () => {
  const object = doc(
    'Endpoints',
    'web',
    'subsets:\n- addresses: [{ip: 10.0.0.1}]\n  notReadyAddresses: [{ip: 10.0.0.2}]\n  ports: [{name: http, port: 8080}]',
  );
  const mesh = await meshOf(service() + object);
  const web = serviceOf(mesh, host);
  assert.equal(
    mesh.endpoints(web, web.ports[0]!).map((e) => `${e.address} ${e.health}`),
    ['10.0.0.1 healthy', '10.0.0.2 unhealthy'],
  );
  assert.equal(addressesOf(await meshOf(service() + object + slice('web-1', '[{addresses: [10.0.0.3]}]')), host), ['10.0.0.3:8080']);
});

test('without slices the pods that the selector picks serve: named target ports, readiness, phase', async () => {
  const pods =
    pod('a', '{podIP: 10.0.0.1, conditions: [{type: Ready, status: "True"}]}') +
    pod('b', '{podIP: 10.0.0.2, conditions: [{type: Ready, status: "False"}]}') +
    pod('done', '{podIP: 10.0.0.3, phase: Succeeded}') +
    pod('no-address', '{}') +
    doc('Pod', 'no-port', 'spec: {containers: [{name: c}]}\nstatus: {podIP: 10.0.0.4}', 'labels: {app: web}');
  const mesh = await meshOf(service() + pods);
  const web = serviceOf(mesh, host);
  assert.equal(
    mesh.endpoints(web, web.ports[0]!).map((e) => `${e.address}:${e.port} ${e.health}`),
    ['10.0.0.1:8080 healthy', '10.0.0.2:8080 unhealthy'],
  );
  const published = await meshOf(service('  publishNotReadyAddresses: true\n') + pods);
  const all = serviceOf(published, host);
  assert.equal(
    published.endpoints(all, all.ports[0]!).map((e) => e.health),
    ['healthy', 'healthy'],
  );
});

test('Kubernetes Services pick WorkloadEntries of their namespace; an unhealthy or nameless one is left out', async () => {
  const we = (name: string, spec: string, rest = '', metadata = ''): string =>
    `${doc('WorkloadEntry', name, `spec:\n  labels: {app: web}\n${spec}`, metadata)}${rest}`;
  const checked = 'annotations: {proxy.istio.io/health-checks-enabled: "true"}';
  const mesh = await meshOf(
    doc(
      'Service',
      'web',
      'spec:\n  selector: {app: web}\n  ports: [{name: http, port: 80, targetPort: 8080}, {name: admin, port: 81, targetPort: adm}]',
    ) +
      slice('web-1', '[{addresses: [10.0.0.1]}]') +
      we('a', '  address: 10.0.1.1\n  weight: 5\n  serviceAccount: vm', '', 'annotations: {sidecar.istio.io/interceptionMode: REDIRECT}') +
      we('b', '  address: 10.0.1.2\n  ports: {http: 7777, adm: 7778}') +
      we('name', '  address: vm.example.com') +
      we('unchecked', '  address: 10.0.1.3', '', checked) +
      we('sick', '  address: 10.0.1.4', 'status: {conditions: [{type: Healthy, status: "False"}]}\n', checked) +
      we('well', '  address: 10.0.1.5', 'status: {conditions: [{type: Healthy, status: "True"}]}\n', checked) +
      we('other.other', '  address: 10.0.1.6'),
  );
  assert.equal(addressesOf(mesh, host), ['10.0.0.1:8080', '10.0.1.1:8080', '10.0.1.2:7777', '10.0.1.5:8080']);
  assert.equal(addressesOf(mesh, host, 81), ['10.0.0.1:9', '10.0.1.2:7778'], 'a named target port needs an entry that has it');
  const web = serviceOf(mesh, host);
  const entry = mesh.endpoints(web, web.ports[0]!)[1];
  assert.equal([entry?.weight, entry?.health, entry?.tlsMode, entry?.workload.name], [5, 'unknown', 'istio', 'a']);
});

test('metadata labels of an entry beat those of its spec, for selection too', async () => {
  const mesh = await meshOf(
    doc('Service', 'web', 'spec:\n  selector: {app: web}\n  ports: [{name: http, port: 80}]') +
      doc('WorkloadEntry', 'a', 'spec: {address: 10.0.0.1, labels: {app: web}}', 'labels: {app: other}') +
      doc('WorkloadEntry', 'b', 'spec: {address: 10.0.0.2, labels: {app: other}}', 'labels: {app: web}'),
  );
  assert.equal(addressesOf(mesh, host), ['10.0.0.2:80']);
});

test('a Service without selector has what was written for it, and nothing else', async () => {
  const mesh = await meshOf(doc('Service', 'web', 'spec:\n  ports: [{name: http, port: 80}]') + pod('a', '{podIP: 10.0.0.1}'));
  assert.equal(addressesOf(mesh, host), []);
});

test('Deployments without pods make no endpoints, but are known by name', async () => {
  const mesh = await meshOf(
    service() +
      doc(
        'Deployment',
        'web',
        'spec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      serviceAccountName: sa\n      containers: [{name: c, ports: [{name: web, containerPort: 8080}]}]',
      ),
  );
  assert.equal(addressesOf(mesh, host), []);
  const [template] = mesh.workloadTemplates;
  assert.equal([template?.kind, template?.name, template?.labels, template?.serviceAccount], ['Deployment', 'web', { app: 'web' }, 'sa']);
  assert.is(template?.ports['web'], 8080);
});

const owners: [pod: string, labels: string, owner: string][] = [
  ['reviews-v1-7d4c9-x2x4z', 'pod-template-hash: 7d4c9', 'reviews-v1'],
  ['db-0', 'statefulset.kubernetes.io/pod-name: db-0, controller-revision-hash: db-abc', 'db'],
  ['agent-x2x4z', 'controller-revision-hash: abc', 'agent'],
  ['backup-29-abcde', 'batch.kubernetes.io/job-name: backup-29', 'backup-29'],
  ['alone', 'app: x', 'alone'],
];

for (const [name, labels, owner] of owners) {
  test(`the owner of pod ${name} is ${owner}`, async () => {
    const mesh = await meshOf(doc('Pod', name, 'spec: {containers: [{name: c}]}', `labels: {${labels}}`));
    assert.is(mesh.workloads[0]?.workloadName, owner);
  });
}

test.run();
