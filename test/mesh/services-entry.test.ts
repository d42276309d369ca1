import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addressesOf, doc, meshOf, rulesOf, scopeIn, serviceOf } from './fixture.ts';

const http = 'ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}]';
const entry = (name: string, spec: string, metadata = ''): string =>
  doc('ServiceEntry', name, `spec:\n${spec.replace(/^/gm, '  ')}`, metadata);

const resolutions: [resolution: string, model: string, endpoints: string[]][] = [
  ['NONE', 'passthrough', []],
  ['DNS', 'dns', ['api.example.com:8080']],
  ['DNS_ROUND_ROBIN', 'dns-round-robin', ['api.example.com:8080']],
];

for (const [resolution, model, endpoints] of resolutions) {
  test(`resolution ${resolution} without endpoints`, async () => {
    const mesh = await meshOf(entry('api', `hosts: [API.example.com]\nresolution: ${resolution}\n${http}`));
    assert.is(serviceOf(mesh, 'api.example.com').resolution, model);
    assert.equal(addressesOf(mesh, 'api.example.com'), endpoints);
  });
}

test('the defaults are NONE and MESH_EXTERNAL', async () => {
  const mesh = await meshOf(
    entry('api', `hosts: [api.example.com]\n${http}`) + entry('in', `hosts: [in.example.com]\nlocation: MESH_INTERNAL\n${http}`),
  );
  const service = serviceOf(mesh, 'api.example.com');
  assert.is(service.resolution, 'passthrough');
  assert.is(service.external, true);
  assert.is(service.registry, 'External');
  assert.is(service.name, 'api.example.com');
  assert.is(service.ports[0]?.targetPort, 8080);
  assert.is(serviceOf(mesh, 'in.example.com').external, false);
});

test('DYNAMIC_DNS is for wildcard hosts and has no endpoints of its own', async () => {
  const mesh = await meshOf(entry('any', `hosts: ["*.example.com"]\nresolution: DYNAMIC_DNS\n${http}`));
  assert.is(serviceOf(mesh, '*.example.com').resolution, 'dynamic-dns');
  assert.equal(addressesOf(mesh, '*.example.com'), []);
});

test('DNS names race with the annotation', async () => {
  const mesh = await meshOf(
    entry('api', `hosts: [api.example.com]\nresolution: DNS\n${http}`, 'annotations: {istio.io/connect-strategy: RACE_FIRST_TCP_CONNECT}'),
  );
  assert.is(serviceOf(mesh, 'api.example.com').raceFirstTcpConnect, true);
});

test('one service for each host and address; /32 is an address, wider ranges stay', async () => {
  const mesh = await meshOf(
    entry('api', `hosts: [a.example.com, b.example.com]\naddresses: [10.1.1.1/32, 10.2.0.0/16]\nresolution: NONE\n${http}`),
  );
  assert.equal(
    mesh.services.map((s) => `${s.host} ${s.addresses.join()}`),
    ['a.example.com 10.1.1.1', 'a.example.com 10.2.0.0/16', 'b.example.com 10.1.1.1', 'b.example.com 10.2.0.0/16'],
  );
});

test('endpoints: unix socket, own port by name, target port, number; named by their index', async () => {
  const mesh = await meshOf(
    entry(
      'api',
      `hosts: [api.example.com]\nlocation: MESH_INTERNAL\nresolution: STATIC\n${http}\nendpoints:\n- address: 10.0.0.1\n  ports: {http: 9999}\n  weight: 3\n  locality: r/z/s\n  network: n1\n  labels: {version: v1}\n  serviceAccount: api\n- address: 10.0.0.2\n  labels: {istio-locality: r2.z2}`,
    ),
  );
  assert.equal(addressesOf(mesh, 'api.example.com'), ['10.0.0.1:9999', '10.0.0.2:8080']);
  const service = serviceOf(mesh, 'api.example.com');
  const [one, two] = mesh.endpoints(service, service.ports[0]!);
  assert.equal(one?.workload, { name: 'api-0', namespace: 'default' });
  assert.is(one?.weight, 3);
  assert.is(two?.weight, 1);
  assert.is(one?.health, 'unknown');
  assert.is(one?.tlsMode, 'istio', 'an identity means a proxy');
  assert.is(two?.tlsMode, 'disabled');
  assert.equal(one?.locality, { region: 'r', zone: 'z', subzone: 's' });
  assert.equal(two?.locality, { region: 'r2', zone: 'z2', subzone: '' });
  assert.is(one?.labels['version'], 'v1');
  assert.is(one?.labels['topology.kubernetes.io/zone'], 'z');
  assert.is(one?.labels['topology.istio.io/network'], 'n1');
  const socket = await meshOf(
    entry('s', `hosts: [s.example.com]\nresolution: STATIC\n${http}\nendpoints: [{address: "unix:///run/s.sock"}]`),
  );
  assert.equal(addressesOf(socket, 's.example.com'), ['unix:///run/s.sock:0']);
});

test('external services are never called with the mesh TLS of their endpoints', async () => {
  const mesh = await meshOf(
    entry(
      'api',
      `hosts: [api.example.com]\nresolution: STATIC\n${http}\nendpoints: [{address: 10.0.0.1, serviceAccount: api, labels: {security.istio.io/tlsMode: istio}}]`,
    ),
  );
  const service = serviceOf(mesh, 'api.example.com');
  assert.is(mesh.endpoints(service, service.ports[0]!)[0]?.tlsMode, 'disabled');
});

test('a selector picks ready pods, then entries, of the same namespace only', async () => {
  const pod = (name: string, ip: string, ready = 'True'): string =>
    doc(
      'Pod',
      name,
      `spec: {containers: [{name: c}], serviceAccountName: sa}\nstatus:\n  podIP: ${ip}\n  conditions: [{type: Ready, status: "${ready}"}]`,
      'labels: {app: x}',
    );
  const we = (name: string, address: string): string =>
    doc('WorkloadEntry', name, `spec:\n  address: ${address}\n  ports: {http: 7777}\n  labels: {app: x}`);
  const mesh = await meshOf(
    entry('api', `hosts: [api.example.com]\nlocation: MESH_INTERNAL\nresolution: STATIC\n${http}\nworkloadSelector: {labels: {app: x}}`) +
      we('a-entry', '10.0.0.1') +
      we('named', 'host.example.com') +
      we('elsewhere.other', '10.0.0.9') +
      pod('b-pod', '10.0.0.2') +
      pod('a-pod', '10.0.0.3') +
      pod('not-ready', '10.0.0.4', 'False'),
  );
  assert.equal(
    addressesOf(mesh, 'api.example.com'),
    ['10.0.0.3:8080', '10.0.0.2:8080', '10.0.0.1:7777'],
    'host names are for DNS services',
  );
});

test('a selector of a DNS service picks entries with host names as well', async () => {
  const mesh = await meshOf(
    entry('api', `hosts: [api.example.com]\nresolution: DNS\n${http}\nworkloadSelector: {labels: {app: x}}`) +
      doc('WorkloadEntry', 'named', 'spec: {address: host.example.com, labels: {app: x}}'),
  );
  assert.equal(addressesOf(mesh, 'api.example.com'), ['host.example.com:8080']);
});

const allocations: [what: string, spec: string, metadata: string, addresses: string[]][] = [
  ['allocated', `hosts: [api.example.com]\nresolution: STATIC\n${http}`, '', ['240.240.0.1']],
  ['not used with addresses', `hosts: [api.example.com]\naddresses: [10.1.1.1]\nresolution: STATIC\n${http}`, '', []],
  ['not used without resolution', `hosts: [api.example.com]\n${http}`, '', []],
  [
    'not used when switched off',
    `hosts: [api.example.com]\nresolution: STATIC\n${http}`,
    'labels: {networking.istio.io/enable-autoallocate-ip: "false"}',
    [],
  ],
];

for (const [what, spec, metadata, addresses] of allocations) {
  test(`auto-allocated addresses of the status: ${what}`, async () => {
    const mesh = await meshOf(
      `${entry('api', spec, metadata)}status: {addresses: [{value: 240.240.0.1, host: api.example.com}, {value: 240.240.0.2, host: other.example.com}]}\n`,
    );
    assert.equal(serviceOf(mesh, 'api.example.com').autoAddresses, addresses);
  });
}

test('several ServiceEntries of one host that agree are one service with the ports of all, the oldest first', async () => {
  const se = (name: string, created: string, port: string, address: string): string =>
    entry(
      name,
      `hosts: [api.example.com]\nresolution: STATIC\n${port}\nendpoints: [{address: ${address}}]`,
      `creationTimestamp: "${created}"`,
    );
  const mesh = await meshOf(
    se(
      'a',
      '2024-01-02T00:00:00Z',
      'ports: [{number: 443, name: tls, protocol: TLS}, {number: 80, name: http, protocol: TCP}]',
      '10.0.0.1',
    ) + se('b', '2024-01-01T00:00:00Z', 'ports: [{number: 80, name: http, protocol: HTTP}]', '10.0.0.2'),
  );
  assert.is(mesh.services.length, 1);
  const service = serviceOf(mesh, 'api.example.com');
  assert.is(service.resource.metadata.name, 'b');
  assert.equal(
    service.ports.map((p) => [p.number, p.protocol, p.resource?.metadata.name]),
    [
      [80, 'HTTP', undefined],
      [443, 'TLS', 'a'],
    ],
  );
  assert.equal(addressesOf(mesh, 'api.example.com', 443), ['10.0.0.1:443']);
  assert.equal(addressesOf(mesh, 'api.example.com', 80), ['10.0.0.2:80', '10.0.0.1:80']);
  assert.equal(rulesOf(mesh), []);
});

test('ServiceEntries of one host that disagree: the oldest is used, the other reported', async () => {
  const mesh = await meshOf(
    entry('b', `hosts: [api.example.com]\nresolution: DNS\nports: [{number: 443, name: tls, protocol: TLS}]`) +
      entry('a', `hosts: [api.example.com]\nresolution: NONE\n${http}`),
  );
  assert.equal(
    scopeIn(mesh).services.map((s) => s.resource.metadata.name),
    ['a'],
  );
  assert.equal(rulesOf(mesh), ['service/duplicate-host ServiceEntry default/b spec.hosts']);
});

test('visibility of the mesh caps exportTo where it holds for sidecars', async () => {
  const text =
    doc('Namespace', 'team', '', 'labels: {tier: closed}') +
    entry('api.team', `hosts: [api.example.com]\n${http}`) +
    entry('open', `hosts: [open.example.com]\n${http}`);
  const policies = [{ visibility: 'NAMESPACE' as const, matchingRules: [{ namespaceSelector: { matchLabels: { tier: 'closed' } } }] }];
  const capped = await meshOf(text, { serviceEntryVisibility: { applyToSidecars: true, policies } });
  assert.equal(serviceOf(capped, 'api.example.com').exportTo, ['team']);
  assert.equal(serviceOf(capped, 'open.example.com').exportTo, ['*']);
  const ambientOnly = await meshOf(text, { serviceEntryVisibility: { policies } });
  assert.equal(serviceOf(ambientOnly, 'api.example.com').exportTo, ['*']);
  const closed = await meshOf(text, { serviceEntryVisibility: { applyToSidecars: true, defaultVisibility: 'NONE' } });
  assert.equal(serviceOf(closed, 'open.example.com').exportTo, ['~']);
});

test('UDP ports are left out and reported where they stand', async () => {
  const mesh = await meshOf(
    entry('api', 'hosts: [api.example.com]\nports:\n- {number: 53, name: dns, protocol: UDP}\n- {number: 54, name: tcp, protocol: TCP}'),
  );
  assert.equal(
    serviceOf(mesh, 'api.example.com').ports.map((p) => p.number),
    [54],
  );
  const [problem] = mesh.problems;
  assert.is(problem?.rule, 'unsupported/udp-port');
  assert.is(problem?.path, 'spec.ports[0].protocol');
  assert.is(problem?.position?.file, 'test.yaml');
});

test('a host name is no endpoint of a STATIC service, and that is said; DNS services look it up', async () => {
  const entry = doc('WorkloadEntry', 'w', 'spec: {address: vm.example.com, labels: {app: a}}');
  const choosing = (resolution: string): string =>
    doc(
      'ServiceEntry',
      'a',
      `spec: {hosts: [a.example.com], location: MESH_INTERNAL, resolution: ${resolution}, ports: [{number: 80, name: http, protocol: HTTP}], workloadSelector: {labels: {app: a}}}`,
    );
  const mesh = await meshOf(entry + choosing('STATIC'));
  assert.equal(
    mesh.problems.map((p) => `${p.rule} ${p.origin} ${p.path}`),
    ['workload-entry/address WorkloadEntry default/w spec.address'],
  );
  assert.match(mesh.problems[0]!.message, 'a.example.com');
  assert.equal((await meshOf(entry + choosing('DNS'))).problems, []);
  assert.equal((await meshOf(entry)).problems, []);
});

test.run();
