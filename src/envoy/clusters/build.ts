import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { Problem } from '../../errors.ts';
import { problemAt } from '../../mesh/problem.ts';
import type { DestinationRuleView, Mesh, ProxyScope } from '../../mesh/types.ts';
import { autoMtlsProblem } from './auto-mtls-problem.ts';
import { fixedClusters } from './fixed.ts';
import { inboundClusters } from './inbound.ts';
import { outboundClusters } from './outbound.ts';
import { ruleProblems } from './policy-problems.ts';
import { serviceProblems } from './service-problems.ts';

/** True when a server of a gateway here passes mesh mTLS on by its SNI. */
function passesSni(scope: ProxyScope): boolean {
  return scope.gateways.some((g) => g.spec.servers?.some((s) => s.tls?.mode === 'AUTO_PASSTHROUGH'));
}

/** A Sidecar ingress that nothing tells where its workload listens. */
function ingressProblems(scope: ProxyScope): Problem[] {
  const { sidecar, proxy } = scope;
  if (sidecar === undefined || proxy.type !== 'sidecar' || proxy.interception !== 'NONE') return [];
  return (scope.ingress ?? []).flatMap((listener, i) =>
    listener.defaultEndpoint
      ? []
      : [
          problemAt(sidecar, ['spec', 'ingress', i], {
            severity: 'warning',
            rule: 'sidecar/no-default-endpoint',
            message: `ingress port ${listener.port?.number} has no defaultEndpoint, and without interception only 127.0.0.1:${listener.port?.number} can be meant`,
            hint: 'say where the workload listens: defaultEndpoint: 127.0.0.1:<port>',
          }),
        ],
  );
}

/**
 * All clusters of one proxy, sorted by name: outbound ones with their subsets, inbound ones, and the fixed ones. Fields that are not
 * carried out come back as problems with their position.
 */
export function buildClusters(mesh: Mesh, scope: ProxyScope): { clusters: ClusterJson[]; problems: Problem[] } {
  const byName = new Map<string, ClusterJson>();
  const add = (cluster: ClusterJson): void => {
    // A ServiceEntry with several addresses gives one service for each, all with the same clusters.
    if (!byName.has(cluster.name!)) byName.set(cluster.name!, cluster);
  };
  const problems: Problem[] = [...ingressProblems(scope), ...autoMtlsProblem(mesh, scope)];
  const rules = new Set<DestinationRuleView>();
  const hosts = new Set<string>();
  const sni = scope.proxy.type === 'router' && passesSni(scope);
  for (const cluster of fixedClusters(mesh, scope)) add(cluster);
  for (const cluster of inboundClusters(mesh, scope)) add(cluster);
  for (const service of scope.services) {
    if (hosts.has(service.host)) continue;
    hosts.add(service.host);
    const rule = scope.destinationRule(service);
    if (rule) rules.add(rule);
    for (const port of service.ports) {
      for (const cluster of outboundClusters(mesh, scope, service, port)) add(cluster);
      if (sni && !service.external) for (const cluster of outboundClusters(mesh, scope, service, port, true)) add(cluster);
    }
    problems.push(...serviceProblems(mesh, scope, service));
  }
  for (const rule of rules) problems.push(...ruleProblems(rule, scope.proxy));
  const clusters = [...byName.values()].sort((a, b) => (a.name! < b.name! ? -1 : 1));
  return { clusters, problems };
}
