import { fromJson } from '@bufbuild/protobuf';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BootstrapSchema } from '#envoy-api/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { type BootstrapOptions, bootstrap } from '../../../src/envoy/dump/bootstrap.ts';
import { loadWire } from '../../../src/envoy/wire.ts';
import { exampleProxy } from './example-dump.ts';

const { registry } = await loadWire();
const options: BootstrapOptions = {
  config: { rootNamespace: 'istio-system', trustDomain: 'mesh.example', domain: 'cluster.local' },
  version: '0.1.0',
  admin: { path: '/run/admin.sock' },
  xdsPath: '/run/xds.sock',
  status: { address: '127.0.0.1', port: 15020 },
  readinessPort: 15021,
};

test('protobuf accepts it, and it names the proxy as Istio does', () => {
  const message = fromJson(BootstrapSchema, bootstrap(exampleProxy, options), { registry });
  assert.is(message.node!.id, 'sidecar~10.0.0.1~web.default~default.svc.cluster.local');
  assert.is(message.node!.cluster, 'web.default');
  const metadata = bootstrap(exampleProxy, options).node!.metadata!;
  assert.is(metadata['MESH_ID'], 'mesh.example');
  assert.is(metadata['INTERCEPTION_MODE'], 'NONE');
  assert.equal(metadata['LABELS'], { app: 'web' });
});

test('static parts follow what the agent offers', () => {
  const names = (more: Partial<BootstrapOptions>) => {
    const { clusters, listeners } = bootstrap(exampleProxy, { ...options, ...more }).staticResources!;
    return [...clusters!, ...(listeners ?? [])].map((r) => r.name);
  };
  assert.equal(names({}), ['prometheus_stats', 'agent', 'xds-grpc', '0.0.0.0_15021']);
  const { readinessPort: _, status: __, ...bare } = options;
  assert.equal(bootstrap(exampleProxy, bare).staticResources!.listeners, undefined);
  assert.is(bootstrap(exampleProxy, { ...options, delta: false }).dynamicResources!.adsConfig!.apiType, 'GRPC');
});

test.run();
