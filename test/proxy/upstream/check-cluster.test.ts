import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import { checkCluster } from '../../../agent/proxy/upstream/check-cluster.ts';
import { endpoint, staticCluster } from './harness.ts';

const paths = (cluster: ClusterJson): (string | undefined)[] =>
  checkCluster(cluster)
    .filter((p) => p.severity === 'error')
    .map((p) => p.path);
const http = (options: object): ClusterJson => ({
  typedExtensionProtocolOptions: { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': options },
});

const upstreamTls = (context: object): NonNullable<ClusterJson['transportSocket']> => ({
  name: 'envoy.transport_sockets.tls',
  typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', ...context },
});

test('what the generator makes is accepted', () => {
  const full = staticCluster([endpoint(80)], {
    altStatName: 'c;',
    lbPolicy: 'LEAST_REQUEST',
    circuitBreakers: { thresholds: [{ maxConnections: 1, retryBudget: { budgetPercent: { value: 20 }, minRetryConcurrency: 3 } }] },
    commonLbConfig: { healthyPanicThreshold: {}, localityWeightedLbConfig: {} },
    outlierDetection: { consecutive5xx: 2, enforcingSuccessRate: 0 },
    metadata: { filterMetadata: {} },
    upstreamBindConfig: { sourceAddress: { address: '127.0.0.6', portValue: 0 } },
    transportSocket: {
      name: 'envoy.transport_sockets.raw_buffer',
      typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer' },
    },
    ...http({
      '@type': 'x',
      commonHttpProtocolOptions: { idleTimeout: '300s' },
      useDownstreamProtocolConfig: { httpProtocolOptions: {}, http2ProtocolOptions: {} },
    }),
  } as ClusterJson);
  assert.equal(checkCluster(full), []);
});

test('everything else is refused, with the cluster and the field', () => {
  const base = staticCluster([endpoint(80)]);
  const [problem] = checkCluster({ ...base, healthChecks: [{}] });
  assert.is(problem?.rule, 'unsupported/field');
  assert.match(problem!.message, 'cluster c: healthChecks is not supported: hosts are not checked actively');
  const refused: [ClusterJson, string][] = [
    [{ lbSubsetConfig: {} }, 'clusters[c].lbSubsetConfig'],
    [
      { transportSocketMatches: [{ transportSocket: { name: 'envoy.transport_sockets.alts' } }] },
      'clusters[c].transportSocketMatches[0].transportSocket',
    ],
    [{ transportSocket: upstreamTls({ enforceRsaKeyUsage: true }) }, 'clusters[c].transportSocket.typedConfig.enforceRsaKeyUsage'],
    [{ transportSocket: upstreamTls({ allowRenegotiation: true }) }, 'clusters[c].transportSocket.typedConfig.allowRenegotiation'],
    [
      { transportSocket: upstreamTls({ commonTlsContext: { keyLog: { path: '/tmp/keys' } } }) },
      'clusters[c].transportSocket.typedConfig.commonTlsContext.keyLog',
    ],
    [
      { transportSocket: upstreamTls({ commonTlsContext: { tlsParams: { cipherSuites: ['NO-SUCH-CIPHER'] } } }) },
      'clusters[c].transportSocket.typedConfig.commonTlsContext.tlsParams.cipherSuites',
    ],
    [
      { transportSocket: upstreamTls({ commonTlsContext: { validationContext: { allowExpiredCertificate: true } } }) },
      'clusters[c].transportSocket.typedConfig.commonTlsContext.validationContext',
    ],
    [{ transportSocket: { name: 'envoy.transport_sockets.tls' } }, 'clusters[c].transportSocket'],
    [{ commonLbConfig: { zoneAwareLbConfig: {} } }, 'clusters[c].commonLbConfig.zoneAwareLbConfig'],
    [{ circuitBreakers: { perHostThresholds: [{}] } }, 'clusters[c].circuitBreakers.perHostThresholds'],
    [{ clusterType: { name: 'envoy.clusters.redis' }, lbPolicy: 'CLUSTER_PROVIDED' }, 'clusters[c].clusterType'],
    [{ aFieldOfTomorrow: 1 } as ClusterJson, 'clusters[c].aFieldOfTomorrow'],
    [{ constructor: 1 } as unknown as ClusterJson, 'clusters[c].constructor'],
    [
      http({ autoConfig: {} }),
      'clusters[c].typedExtensionProtocolOptions[envoy.extensions.upstreams.http.v3.HttpProtocolOptions].autoConfig',
    ],
    [{ maglevLbConfig: { tableSize: '65536' } }, 'clusters[c].maglevLbConfig.tableSize'],
    [{ ringHashLbConfig: { minimumRingSize: '10', maximumRingSize: '5' } }, 'clusters[c].ringHashLbConfig.minimumRingSize'],
    [{ outlierDetection: { baseEjectionTime: '60s', maxEjectionTime: '30s' } }, 'clusters[c].outlierDetection.maxEjectionTime'],
    [{ type: 'ORIGINAL_DST' }, 'clusters[c].lbPolicy'],
    [{ type: 'LOGICAL_DNS', loadAssignment: {} }, 'clusters[c].loadAssignment'],
  ];
  for (const [more, path] of refused) assert.ok(paths({ ...base, ...more }).includes(path), `${path}: ${paths({ ...base, ...more })}`);
});

test('what cannot be set but does no harm is a warning', () => {
  const problems = checkCluster(
    staticCluster([endpoint(80)], { upstreamConnectionOptions: { tcpKeepalive: { keepaliveTime: 7, keepaliveProbes: 3 } } }),
  );
  assert.equal(
    problems.map((p) => [p.severity, p.path]),
    [['warning', 'clusters[c].upstreamConnectionOptions.tcpKeepalive.keepaliveProbes']],
  );
});

test.run();
