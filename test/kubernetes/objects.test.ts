/** What is kept of objects, and which Secrets are asked for. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { opaqueSource } from '../../src/config/document-source.ts';
import type { Kind } from '../../src/config/kinds/kind.ts';
import { kindByName } from '../../src/config/kinds/registry.ts';
import { namedSecrets } from '../../src/kubernetes/named-objects.ts';
import { createObjectStore } from '../../src/kubernetes/object-store.ts';
import { slimmer } from '../../src/kubernetes/slim.ts';

const kind = (name: string): Kind => kindByName(name) as Kind;

test('of a Pod only what a mesh reads is kept', () => {
  const slim = slimmer(
    kind('Pod'),
    'v1',
  )({
    metadata: {
      name: 'a',
      namespace: 'shop',
      labels: { app: 'a' },
      resourceVersion: '12',
      managedFields: [{ manager: 'kubelet' }],
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', own: 'yes' },
    },
    spec: {
      nodeName: 'n',
      serviceAccountName: 's',
      tolerations: [{ key: 'k' }],
      containers: [{ name: 'c', image: 'i', terminationMessagePath: '/dev/x' }],
    },
    status: {
      podIP: '10.1.1.1',
      phase: 'Running',
      qosClass: 'Burstable',
      conditions: [{ type: 'Ready', status: 'True', lastProbeTime: null }],
    },
  });
  assert.equal(slim, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', namespace: 'shop', labels: { app: 'a' }, annotations: { own: 'yes' } },
    spec: { nodeName: 'n', serviceAccountName: 's', containers: [{ name: 'c', image: 'i' }] },
    status: { podIP: '10.1.1.1', phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  });
});

test('of Istio’s kinds everything but bookkeeping and status is kept, known or not', () => {
  const spec = { hosts: ['a'], fieldOfTomorrow: { x: 1 } };
  const slim = slimmer(
    kind('VirtualService'),
    'networking.istio.io/v1',
  )({ metadata: { name: 'a', generation: 3 }, spec, status: { conditions: [] } });
  assert.equal(slim, {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'a', generation: 3 },
    spec,
  });
  const entry = slimmer(kind('ServiceEntry'), 'networking.istio.io/v1');
  const status = { conditions: [{ type: 'Reconciled' }], addresses: [{ value: '240.240.0.1' }] };
  assert.equal(
    entry({ metadata: { name: 'a' }, spec, status })['status'],
    { addresses: [{ value: '240.240.0.1' }] },
    'what the mesh reads',
  );
});

test('Secrets are asked for where a gateway’s pods are, and only those that are named', () => {
  const gateway = {
    kind: 'Gateway',
    metadata: { name: 'g', namespace: 'shop' },
    spec: {
      selector: { istio: 'ingress' },
      servers: [
        { tls: { credentialName: 'site' } },
        { tls: { credentialName: 'kubernetes://other/own' } },
        { tls: { credentialName: 'sds://x' } },
        {},
      ],
    },
  };
  const pods = [
    { kind: 'Pod', metadata: { name: 'p', namespace: 'edge', labels: { istio: 'ingress' } } },
    { kind: 'Pod', metadata: { name: 'q', namespace: 'else', labels: { istio: 'egress' } } },
  ];
  const rule = {
    kind: 'DestinationRule',
    metadata: { name: 'd', namespace: 'web' },
    spec: { trafficPolicy: { portLevelSettings: [{ tls: { credentialName: 'client' } }] } },
  };
  assert.equal(
    namedSecrets([...pods, gateway, rule]).map(({ namespace, name }) => `${namespace}/${name}`),
    ['edge/site', 'edge/site-cacert', 'other/own', 'other/own-cacert', 'shop/site', 'shop/site-cacert', 'web/client', 'web/client-cacert'],
  );
});

test('Secrets of the Gateway API’s Gateways are those of their namespace, and those that a ReferenceGrant names', () => {
  const api = 'gateway.networking.k8s.io/v1';
  const certificateRefs = [{ name: 'own' }, { name: 'granted', namespace: 'certs' }, { name: 'other', namespace: 'certs' }];
  const gateway = {
    apiVersion: api,
    kind: 'Gateway',
    metadata: { name: 'web', namespace: 'edge' },
    spec: { listeners: [{ tls: { certificateRefs } }] },
  };
  const from = [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'edge' }];
  const grant = {
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { name: 'g', namespace: 'certs' },
    spec: { from, to: [{ group: '', kind: 'Secret', name: 'granted' }] },
  };
  assert.equal(
    namedSecrets([gateway, grant]).map(({ namespace, name }) => `${namespace}/${name}`),
    ['certs/granted', 'edge/own'],
  );
});

test('a store keeps what did not change, and remembers what a changed object was', () => {
  const store = createObjectStore((value) => ({ value, source: opaqueSource('x') }));
  const one = { metadata: { name: 'one' }, spec: { a: 1 } };
  const two = { metadata: { name: 'two' }, spec: { a: 1 } };
  assert.is(store.replace([one, two]), true);
  const [first, second] = [...store.objects()];
  assert.is(store.replace(structuredClone([one, two])), false);
  assert.is([...store.objects()][0], first);
  assert.is(store.put(structuredClone(two)), false);
  assert.is(store.put({ ...two, spec: { a: 2 } }), true);
  assert.is([...store.objects()][1]?.before, second);
  assert.is(store.drop(one), true);
  assert.is(store.size, 1);
  assert.is(store.replace([]), true);
});

test.run();
