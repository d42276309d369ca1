/** Services, endpoints and workloads of several clusters in one mesh. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { opaqueSource } from '../../src/config/document-source.ts';
import { parseFiles } from '../../src/config/parse-config.ts';
import type { HomeCluster, Resource } from '../../src/config/resource.ts';
import type { SourceObject } from '../../src/config/source-object.ts';
import { buildSnapshot } from '../../src/envoy/build.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { proxiesOf } from '../../src/mesh/proxies.ts';
import type { Mesh } from '../../src/mesh/types.ts';

const west: HomeCluster = { id: 'west', network: '', remote: true };
const north: HomeCluster = { id: 'north', network: '', remote: true };

type Spec = Record<string, unknown>;

const object = (cluster: HomeCluster | undefined, value: Spec): SourceObject => ({
  value: structuredClone(value),
  source: opaqueSource(cluster?.id ?? 'own'),
  ...(cluster && { cluster }),
});
const service = (name: string, more: Spec = {}, namespace = 'shop'): Spec => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...more },
});
const slice = (name: string, addresses: readonly string[], more: Spec = {}, namespace = 'shop', port = 8080): Spec => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: `${name}-1`, namespace, labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port }],
  endpoints: addresses.map((address) => ({ addresses: [address], ...more })),
});
const pod = (name: string, ip: string, more: Spec = {}): Spec => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', labels: { app: 'web' }, ...(more['metadata'] as Spec) },
  spec: { nodeName: 'n1', serviceAccountName: 'web', containers: [{ name: 'c' }] },
  status: { podIP: ip, phase: 'Running' },
});
const node = (name: string, zone: string): Spec => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'topology.kubernetes.io/region': 'r', 'topology.kubernetes.io/zone': zone } },
});

async function resourcesOf(objects: readonly SourceObject[]): Promise<readonly Resource[]> {
  const { resources, problems } = await parseFiles([], {}, [], new Map(), objects);
  assert.equal(problems, []);
  return resources;
}

const meshOf = async (objects: readonly SourceObject[], previous?: Mesh, meshConfig = {}): Promise<Mesh> =>
  buildMesh(await resourcesOf(objects), { previous, meshConfig });

const hostOf = (name: string, namespace = 'shop'): string => `${name}.${namespace}.svc.cluster.local`;
const endpoints = (mesh: Mesh, host: string) => mesh.services.filter((s) => s.host === host).flatMap((s) => mesh.endpoints(s, s.ports[0]!));
const addresses = (mesh: Mesh, host: string): string[] => endpoints(mesh, host).map((e) => `${e.address}:${e.port}`);

test('a Service of one name has the endpoints of all clusters, the own one first, and their names in labels', async () => {
  const mesh = await meshOf([
    object(west, service('web')),
    object(undefined, service('web', { clusterIP: '10.96.0.1' })),
    object(north, service('web', { clusterIP: '10.96.9.9' })),
    object(west, slice('web', ['10.2.0.1'])),
    object(undefined, slice('web', ['10.1.0.1'])),
    object(north, slice('web', ['10.3.0.1'])),
  ]);
  const [web, ...more] = mesh.services;
  assert.equal(more, []);
  assert.equal(web?.addresses, ['10.96.0.1']);
  assert.equal(addresses(mesh, hostOf('web')), ['10.1.0.1:8080', '10.3.0.1:8080', '10.2.0.1:8080']);
  assert.equal(
    endpoints(mesh, hostOf('web')).map((e) => e.labels['topology.istio.io/cluster']),
    ['Kubernetes', 'north', 'west'],
  );
  assert.is(mesh.resources.length, 2, 'what is written elsewhere is no configuration');
  assert.equal(mesh.problems, []);
});

test('what configuration another cluster has is not read as the own', async () => {
  const route = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { hosts: ['web'], http: [{ route: [{ destination: { host: 'web' } }] }] },
  };
  const mesh = await meshOf([object(undefined, service('web')), object(west, route)]);
  assert.equal(mesh.ofKind('VirtualService'), []);
});

test('pods, nodes and slices of one name are told apart by their clusters', async () => {
  const selecting = { selector: { app: 'web' } };
  const reference = { targetRef: { kind: 'Pod', name: 'web-1', namespace: 'shop' } };
  const mesh = await meshOf([
    object(undefined, node('n1', 'a')),
    object(west, node('n1', 'b')),
    object(undefined, pod('web-1', '10.1.0.1')),
    object(west, pod('web-1', '10.1.0.1', { metadata: { labels: { app: 'web', version: 'v2' } } })),
    object(undefined, service('web', selecting)),
    object(west, service('web', selecting)),
    object(undefined, slice('web', ['10.1.0.1'], reference)),
    object(west, slice('web', ['10.1.0.1'], reference)),
  ]);
  assert.equal(
    endpoints(mesh, hostOf('web')).map((e) => [e.locality.zone, e.labels['version'] ?? '', e.labels['topology.istio.io/cluster']]),
    [
      ['a', '', 'Kubernetes'],
      ['b', 'v2', 'west'],
    ],
  );
  assert.equal(
    mesh.workloads.map((w) => w.cluster?.id),
    [undefined],
  );
  const proxies = proxiesOf(mesh, { addresses: ['10.1.0.1'], nodeName: 'n1', pods: 'node' });
  assert.equal(
    proxies.map((p) => [p.name, p.labels['version']]),
    [['web-1', undefined]],
    'pods of other clusters have no proxy here',
  );
  assert.equal(
    mesh.scope(proxies[0]!).instances.map((i) => i.service.host),
    [hostOf('web')],
  );
});

test('a Service that selects in another cluster only does not select here', async () => {
  const mesh = await meshOf([
    object(undefined, pod('web-1', '10.1.0.1')),
    object(west, service('web', { selector: { app: 'web' } })),
    object(west, slice('web', ['10.2.0.1'])),
  ]);
  const [proxy] = proxiesOf(mesh, { addresses: [], nodeName: 'n1', pods: 'node' });
  assert.equal(mesh.scope(proxy!).instances, []);
  assert.equal(addresses(mesh, hostOf('web')), ['10.2.0.1:8080']);
});

test('ports are matched by name; what differs is told at both places, and the own cluster’s count', async () => {
  const mesh = await meshOf([
    object(undefined, service('web')),
    object(
      west,
      service('web', {
        ports: [
          { name: 'http', port: 8000 },
          { name: 'more', port: 9 },
        ],
      }),
    ),
    object(undefined, slice('web', ['10.1.0.1'])),
    object(west, slice('web', ['10.2.0.1'], {}, 'shop', 9090)),
  ]);
  assert.equal(addresses(mesh, hostOf('web')), ['10.1.0.1:8080', '10.2.0.1:9090']);
  assert.equal(
    mesh.services[0]?.ports.map((p) => p.number),
    [80],
  );
  assert.equal(
    mesh.problems.map((p) => [p.rule, p.severity, p.position?.file, p.message.split(';')[0]]),
    [
      [
        'service/cluster-conflict',
        'warning',
        'west',
        `the ports of ${hostOf('web')} differ between clusters: http 8000, more 9 here, http 80 in own, which count`,
      ],
    ],
  );
});

test('kube-system and the API server are each cluster’s own, and what serviceSettings say is', async () => {
  const all = [
    ...[undefined, west].flatMap((cluster, i) => [
      object(cluster, service('kubernetes', {}, 'default')),
      object(cluster, slice('kubernetes', [`10.${i}.0.1`], {}, 'default')),
      object(cluster, service('dns', {}, 'kube-system')),
      object(cluster, slice('dns', [`10.${i}.0.2`], {}, 'kube-system')),
      object(cluster, service('web')),
      object(cluster, slice('web', [`10.${i}.0.3`])),
    ]),
    object(west, service('only', {}, 'kube-system')),
  ];
  const mesh = await meshOf(all);
  assert.equal(addresses(mesh, hostOf('kubernetes', 'default')), ['10.0.0.1:8080']);
  assert.equal(addresses(mesh, hostOf('dns', 'kube-system')), ['10.0.0.2:8080']);
  assert.equal(addresses(mesh, hostOf('web')), ['10.0.0.3:8080', '10.1.0.3:8080']);
  assert.not(mesh.services.some((s) => s.name === 'only'));
  const settings = (clusterLocal: boolean, hosts: string[]) => ({ settings: { clusterLocal }, hosts });
  const other = await meshOf(all, undefined, {
    serviceSettings: [settings(true, [`*.shop.svc.cluster.local`]), settings(false, [hostOf('dns', 'kube-system')])],
  });
  assert.equal(addresses(other, hostOf('web')), ['10.0.0.3:8080']);
  assert.equal(addresses(other, hostOf('dns', 'kube-system')), ['10.0.0.2:8080', '10.1.0.2:8080']);
});

test('an address that two clusters gave means the own cluster’s service', async () => {
  const mesh = await meshOf([
    object(undefined, service('web', { clusterIP: '10.96.0.1' })),
    object(west, service('other', { clusterIP: '10.96.0.1' })),
    object(west, service('third', { clusterIP: '10.96.0.3' })),
    object(west, slice('other', ['10.2.0.1'])),
  ]);
  assert.equal(
    mesh.services.map((s) => [s.name, s.addresses]),
    [
      ['other', []],
      ['third', ['10.96.0.3']],
      ['web', ['10.96.0.1']],
    ],
  );
  assert.equal(addresses(mesh, hostOf('other')), ['10.2.0.1:8080']);
});

test('endpoints of another network are left out, with one warning; of none they are not', async () => {
  const far: HomeCluster = { id: 'far', network: 'net-far', remote: true };
  const own: HomeCluster = { id: 'here', network: 'net-here', remote: false };
  const mesh = await meshOf([
    object(own, service('web')),
    object(far, service('web')),
    object(west, service('web')),
    object(own, pod('client', '10.1.0.9')),
    object(own, slice('web', ['10.1.0.1'])),
    object(far, slice('web', ['10.2.0.1', '10.2.0.2'])),
    object(west, slice('web', ['10.3.0.1'])),
  ]);
  const [client] = proxiesOf(mesh, { addresses: [], nodeName: 'n1', pods: 'node' });
  assert.is(client?.network, 'net-here');
  const snapshot = buildSnapshot(mesh, client!);
  const [assignment] = snapshot.endpoints.filter(({ clusterName }) => clusterName === `outbound|80||${hostOf('web')}`);
  assert.equal(
    assignment?.endpoints?.flatMap((g) => g.lbEndpoints ?? []).map((e) => e.endpoint?.address?.socketAddress?.address),
    ['10.1.0.1', '10.3.0.1'],
  );
  assert.equal(
    snapshot.problems.filter((p) => p.rule === 'network/unreachable').map((p) => p.message.split(':')[0]),
    ['endpoints in network net-far (cluster far) are not used from network net-here'],
  );
});

test('a mesh that follows changes in any cluster is the one that is built anew', async () => {
  const selecting = { selector: { app: 'web' } };
  const parts: SourceObject[] = [undefined, west, north].flatMap((cluster, i) => [
    object(cluster, node('n1', `z${i}`)),
    object(cluster, service('web', i === 1 ? { selector: { app: 'other' } } : selecting)),
    object(cluster, service(`own-${i}`)),
    object(cluster, slice('web', [`10.${i}.0.1`])),
    object(cluster, slice(`own-${i}`, [`10.${i}.0.2`])),
    object(cluster, pod('web-1', `10.${i}.0.1`)),
  ]);
  let random = 7;
  const dice = (n: number): number => {
    random = (random * 1103515245 + 12345) & 0x7fffffff;
    return (random >> 8) % n;
  };
  const present = new Set(parts);
  let mesh: Mesh | undefined;
  const seen = (of: Mesh): unknown =>
    of.services.map((s) => [
      s.host,
      s.addresses,
      s.ports.map((p) => p.number),
      endpoints(of, s.host).map(({ runs, resource, ...e }) => [e, runs?.name]),
    ]);
  for (let step = 0; step < 60; step++) {
    const one = parts[dice(parts.length)]!;
    if (present.has(one)) present.delete(one);
    else present.add(one);
    const objects = parts.filter((part) => present.has(part));
    mesh = await meshOf(objects, mesh);
    // Asked for each time, so that there is something to follow.
    assert.equal(seen(mesh), seen(await meshOf(objects)), `step ${step}`);
  }
});

test.run();
