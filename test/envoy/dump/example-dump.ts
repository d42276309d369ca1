import type { ConfigDumpJson } from '#envoy-api/envoy/admin/v3/config_dump_pb.js';
import { bootstrap } from '../../../src/envoy/dump/bootstrap.ts';
import { configDump } from '../../../src/envoy/dump/config-dump.ts';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import type { ProxyNode } from '../../../src/mesh/types.ts';

/** A sidecar of a workload `web` in `default`. */
export const exampleProxy: ProxyNode = {
  type: 'sidecar',
  id: 'sidecar~10.0.0.1~web.default~default.svc.cluster.local',
  name: 'web',
  namespace: 'default',
  labels: { app: 'web' },
  ips: ['10.0.0.1'],
  interception: 'NONE',
  httpProxyPort: 15001,
  locality: { region: 'r', zone: 'z', subzone: '' },
  network: '',
  serviceAccount: 'web',
  workload: {
    name: 'web',
    namespace: 'default',
    kind: 'WorkloadEntry',
    labels: { app: 'web' },
    annotations: {},
    addresses: ['10.0.0.1'],
    serviceAccount: 'web',
    locality: { region: 'r', zone: 'z', subzone: '' },
    network: '',
    nodeName: '',
    workloadName: 'web',
    ports: {},
    resource: undefined,
  },
};

const snapshot: Snapshot = {
  version: 'v7',
  proxy: exampleProxy,
  listeners: [
    { name: '127.0.0.1_15001', address: { socketAddress: { address: '127.0.0.1', portValue: 15001 } }, trafficDirection: 'OUTBOUND' },
    { name: '0.0.0.0_80', address: { socketAddress: { address: '0.0.0.0', portValue: 80 } }, trafficDirection: 'OUTBOUND' },
  ],
  routes: [{ name: 'http_proxy', validateClusters: false, virtualHosts: [{ name: 'allow_any', domains: ['*'] }] }],
  clusters: [
    { name: 'BlackHoleCluster', type: 'STATIC', connectTimeout: '10s' },
    {
      name: 'outbound|80||web.default.svc.cluster.local',
      type: 'EDS',
      edsClusterConfig: { edsConfig: { ads: {} }, serviceName: 'outbound|80||web.default.svc.cluster.local' },
      metadata: { filterMetadata: { istio: { services: [{ host: 'web.default.svc.cluster.local', name: 'web', namespace: 'default' }] } } },
    },
  ],
  endpoints: [
    {
      clusterName: 'outbound|80||web.default.svc.cluster.local',
      endpoints: [{ lbEndpoints: [{ endpoint: { address: { socketAddress: { address: '10.0.0.1', portValue: 8080 } } } }] }],
    },
  ],
  problems: [],
};

/** A small dump of that sidecar, camelCase. */
export function exampleDump(): ConfigDumpJson {
  return configDump(snapshot, {
    lastUpdated: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    bootstrap: bootstrap(exampleProxy, {
      config: { rootNamespace: 'istio-system', trustDomain: 'cluster.local', domain: 'cluster.local' },
      version: '0.1.0',
      admin: { address: '127.0.0.1', port: 15000 },
      xdsPath: '/run/fairlead/xds.sock',
    }),
  });
}
