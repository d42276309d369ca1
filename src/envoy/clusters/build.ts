import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { Problem } from '../../errors.ts';
import { problemAt } from '../../mesh/problem.ts';
import type { DestinationRuleView, ProxyScope, Service } from '../../mesh/types.ts';
import { keptWhenEqual } from '../build-memo.ts';
import type { BuildContext } from '../context.ts';
import { configPath } from '../metadata.ts';
import { jwksClusters } from '../security/jwks-clusters.ts';
import { sortedByName } from '../sorted.ts';
import { tracingClusters } from '../tracing-collector.ts';
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

function serviceClusters({ mesh, scope }: BuildContext, service: Service, sni: boolean): ClusterJson[] {
  const out: ClusterJson[] = [];
  for (const port of service.ports) {
    out.push(...outboundClusters(mesh, scope, service, port));
    if (sni && !service.external) out.push(...outboundClusters(mesh, scope, service, port, true));
  }
  return out;
}

/**
 * All clusters of one proxy, sorted by name: outbound ones with their subsets, inbound ones, and the fixed ones. Fields that are not
 * carried out are added to the context's problems with their position.
 */
export function buildClusters(context: BuildContext): readonly ClusterJson[] {
  const { mesh, scope, memo, problems } = context;
  problems.push(...ingressProblems(scope));
  const rules = new Set<DestinationRuleView>();
  const hosts = new Set<string>();
  const sni = scope.proxy.type === 'router' && passesSni(scope);
  const clusters = [
    ...keptWhenEqual(memo, 'own clusters', [
      ...fixedClusters(mesh, scope),
      ...tracingClusters(mesh, scope),
      ...jwksClusters(mesh, scope),
      ...inboundClusters(mesh, scope),
    ]),
  ];
  for (const service of scope.services) {
    // A ServiceEntry with several addresses gives one service for each, all with the same clusters.
    if (hosts.has(service.host)) continue;
    hosts.add(service.host);
    const rule = scope.destinationRule(service);
    if (rule) rules.add(rule);
    const own = memo.part('clusters', service.host, [service, sni], context, (tracked) => {
      const made = serviceClusters(tracked, service, sni);
      tracked.problems.push(...serviceProblems(tracked.mesh, tracked.scope, service));
      return made;
    });
    for (const cluster of own) clusters.push(cluster);
  }
  for (const rule of rules) {
    const found = memo.part('rule problems', configPath(rule.resource), [rule], context, () => ruleProblems(rule, scope));
    problems.push(...found);
  }
  return sortedByName(memo, 'clusters', clusters);
}
