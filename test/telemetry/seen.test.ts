/** Who called whom, as an agent that knows its own configuration alone can tell. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { seenIn } from '../../src/telemetry/metrics/seen.ts';

const endpoint = (address: string, port: number, workload?: string) => ({
  endpoint: { address: { socketAddress: { address, portValue: port } } },
  ...(workload ? { metadata: { filterMetadata: { istio: { workload } } } } : {}),
});
const config = {
  clusters: [
    {
      name: 'outbound|80||orders.shop.svc.cluster.local',
      metadata: { filterMetadata: { istio: { services: [{ host: 'orders.shop.svc.cluster.local', name: 'orders', namespace: 'shop' }] } } },
    },
    { name: 'PassthroughCluster' },
  ],
  endpoints: [
    {
      clusterName: 'a',
      endpoints: [
        { lbEndpoints: [endpoint('10.0.0.1', 8080, 'orders-v1;shop;orders;v1;Kubernetes'), endpoint('fd00::1', 8080, 'six;shop;;;')] },
      ],
    },
    {
      clusterName: 'b',
      endpoints: [
        { lbEndpoints: [endpoint('10.0.0.9', 1, 'one;shop;;;'), endpoint('10.0.0.9', 2, 'two;shop;;;'), endpoint('10.0.0.8', 1)] },
      ],
    },
  ],
};

test('services are known by their clusters, workloads by their endpoints', () => {
  const { service, peer } = seenIn(config);
  assert.equal(service('outbound|80||orders.shop.svc.cluster.local'), {
    host: 'orders.shop.svc.cluster.local',
    name: 'orders',
    namespace: 'shop',
  });
  assert.is(service('PassthroughCluster'), undefined);
  assert.is(service('another'), undefined);
  const { workload, namespace, canonicalService, canonicalRevision } = peer('10.0.0.1:8080') ?? {};
  assert.equal([workload, namespace, canonicalService, canonicalRevision], ['orders-v1', 'shop', 'orders', 'v1']);
  assert.is(peer('10.0.0.1')?.workload, 'orders-v1');
  assert.is(peer('[fd00::1]:8080')?.workload, 'six');
  assert.is(peer('[fd00::1]:8080')?.canonicalRevision, 'latest');
});

test('an address that several have names nobody; one without a workload neither', () => {
  const { peer } = seenIn(config);
  assert.is(peer('10.0.0.9'), undefined);
  assert.is(peer('10.0.0.9:2')?.workload, 'two');
  assert.is(peer('10.0.0.8'), undefined);
  assert.is(peer(''), undefined);
});

test.run();
