import type { TcpProxyJson } from '#envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import type { Problem } from '../../../src/errors.ts';

/** Fields that `createTcpProxy` acts on (`true`) and ones that are refused, with the reason that people read. */
const FIELDS: Readonly<Record<string, true | string>> = {
  statPrefix: true,
  cluster: true,
  weightedClusters: true,
  onDemand: 'clusters are not fetched on demand',
  metadataMatch: 'hosts are not divided into subsets; make a cluster for each',
  idleTimeout: true,
  downstreamIdleTimeout: 'use idleTimeout',
  upstreamIdleTimeout: 'use idleTimeout',
  // The listener writes them, from the connection's record.
  accessLog: true,
  maxConnectAttempts: true,
  hashPolicy: true,
  tunnelingConfig: 'connections are not tunnelled through HTTP',
  maxDownstreamConnectionDuration: true,
  accessLogFlushInterval: 'connections are logged when they end',
  flushAccessLogOnConnected: 'connections are logged when they end',
  accessLogOptions: 'connections are logged when they end',
};

/** Everything about a tcp_proxy that cannot be carried out; all of it is refused. Paths are the filter's own. */
export function checkTcpProxy(config: TcpProxyJson): Problem[] {
  const problems: Problem[] = [];
  const add = (rule: string, path: string, why: string): void => {
    problems.push({ severity: 'error', rule, message: `tcp_proxy: ${path} ${why}`, path });
  };
  for (const [field, value] of Object.entries(config)) {
    if (field === '@type' || value === undefined || value === null || value === false || value === '') continue;
    const known = Object.hasOwn(FIELDS, field) ? FIELDS[field] : 'nothing acts on it';
    if (typeof known === 'string') add('unsupported/field', field, `is not supported: ${known}`);
  }
  const clusters = config.weightedClusters?.clusters ?? [];
  if ((config.cluster === undefined || config.cluster === '') === (config.weightedClusters === undefined)) {
    add('envoy/invalid', 'cluster', 'or weightedClusters is needed, one of them');
  }
  if (config.weightedClusters !== undefined && clusters.reduce((n, c) => n + (c.weight ?? 0), 0) <= 0) {
    add('envoy/invalid', 'weightedClusters', 'must have weights above 0');
  }
  for (const [i, cluster] of clusters.entries()) {
    if (cluster.metadataMatch === undefined) continue;
    add('unsupported/field', `weightedClusters.clusters[${i}].metadataMatch`, 'is not supported: hosts are not divided into subsets');
  }
  for (const [i, policy] of (config.hashPolicy ?? []).entries()) {
    if (policy.sourceIp === undefined) add('unsupported/field', `hashPolicy[${i}]`, 'is not supported: only sourceIp is');
  }
  return problems;
}
