import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalRevision, canonicalService, serviceCluster } from '../../src/mesh/canonical.ts';
import { meshOf } from './fixture.ts';

test('Istio’s defaults fill MeshConfig; what is given stays', async () => {
  const { config } = await meshOf('', {
    connectTimeout: '3s',
    outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
    defaultConfig: { drainDuration: '1s' },
  });
  assert.equal(
    [config.connectTimeout, config.rootNamespace, config.trustDomain, config.domain, config.proxyListenPort, config.proxyInboundListenPort],
    ['3s', 'istio-system', 'cluster.local', 'cluster.local', 15001, 15006],
  );
  assert.equal(
    [config.outboundTrafficPolicy?.mode, config.inboundTrafficPolicy?.mode, config.localityLbSetting?.enabled],
    ['REGISTRY_ONLY', 'PASSTHROUGH', true],
  );
  assert.equal([config.defaultConfig?.drainDuration, config.defaultConfig?.statusPort], ['1s', 15020]);
  assert.is(config.proxyHttpPort, undefined);
});

const services: [labels: Record<string, string>, name: string, revision: string][] = [
  [{}, 'w', 'latest'],
  [{ app: 'a', version: 'v1' }, 'a', 'v1'],
  [{ app: 'a', 'app.kubernetes.io/name': 'n', version: 'v1', 'app.kubernetes.io/version': 'k1' }, 'n', 'k1'],
  [
    {
      'app.kubernetes.io/name': 'n',
      'service.istio.io/canonical-name': 'c',
      'app.kubernetes.io/version': 'k1',
      'service.istio.io/canonical-revision': 'r1',
    },
    'c',
    'r1',
  ],
];

for (const [labels, name, revision] of services) {
  test(`canonical name of ${JSON.stringify(labels)}: ${name} ${revision}`, () => {
    assert.is(canonicalService(labels, 'w'), name);
    assert.is(canonicalRevision(labels), revision);
  });
}

test('the service cluster of a proxy', () => {
  const proxy = { labels: {}, namespace: 'ns', workloadName: 'w' };
  assert.is(serviceCluster('mine', proxy), 'mine');
  assert.is(serviceCluster('istio-proxy', { ...proxy, labels: { app: 'a', 'app.kubernetes.io/name': 'n' } }), 'a.ns');
  assert.is(serviceCluster(undefined, proxy), 'w.ns');
  assert.is(serviceCluster(undefined, { ...proxy, workloadName: '' }), 'istio-proxy.ns');
});

test('a Gateway of the Gateway API is not one of Istio', async () => {
  const mesh = await meshOf(
    'apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}\n',
  );
  assert.is(mesh.ofKind('Gateway').length, 0);
});

test.run();
