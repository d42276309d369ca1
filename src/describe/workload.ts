import type { Sidecar } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import { unsupportedProblems } from '../envoy/unsupported-problems.ts';
import { exposuresOf } from '../explain/exposures.ts';
import { identityOf } from '../mesh/identity.ts';
import { isSubset } from '../mesh/labels.ts';
import type { Mesh, ProxyNode } from '../mesh/types.ts';
import { exportedTo } from './exported-to.ts';
import { mtlsMode } from './mtls.ts';
import { originAt } from './origin-at.ts';
import { policiesFor, problemsOf, selectorOf } from './policies.ts';
import { tablesOf } from './route-table.ts';
import type { ResourceUse, WorkloadDescription } from './types.ts';

/** Everything that shapes one workload's traffic, at its own proxy. */
export function describeWorkload(mesh: Mesh, proxy: ProxyNode, kind: 'workload' | 'pod'): WorkloadDescription {
  const { workload } = proxy;
  const scope = mesh.scope(proxy);
  const tables = tablesOf(mesh, proxy);
  const { resource } = workload;
  const policies = policiesFor(mesh, [proxy]);
  const { region, zone, subzone } = proxy.locality;
  const locality = [region, zone, subzone].filter((part) => part !== '').join('/');
  const exported = exportedTo(mesh, proxy.namespace);
  const about = new Set(policies.map(({ origin: o }) => `${o.kind} ${o.namespace}/${o.name}`));
  const resources = mesh.resources.filter(
    (r) => r === resource || r === scope.sidecar || about.has(`${r.kind} ${r.metadata.namespace}/${r.metadata.name}`),
  );
  return {
    version: 1,
    kind,
    name: workload.name,
    namespace: workload.namespace,
    declaredAs: workload.kind === 'implied' ? 'implied' : (resource?.kind ?? workload.kind),
    proxy: proxy.type === 'router' ? 'gateway' : 'sidecar',
    ...(resource !== undefined && { origin: originAt(resource) }),
    labels: workload.labels,
    addresses: workload.addresses,
    identity: identityOf(proxy, mesh.config),
    ...(locality !== '' && { locality }),
    ...(proxy.httpProxyPort !== undefined && proxy.interception === 'NONE' && { httpProxyPort: proxy.httpProxyPort }),
    services: scope.instances.map(({ service, port, targetPort }) => ({
      host: service.host,
      port: port.number,
      protocol: port.protocol,
      targetPort,
      origin: originAt(port.resource ?? service.resource, port.path),
      subsets: (mesh.scope(proxy).destinationRule(service)?.spec.subsets ?? [])
        .filter((s) => isSubset(s.labels ?? {}, proxy.labels))
        .map((s) => s.name),
      mtls: mtlsMode(mesh, proxy, targetPort),
    })),
    ...(scope.sidecar !== undefined && { sidecar: sidecarUse(mesh, proxy, scope.sidecar) }),
    outbound: {
      services: scope.services.length,
      hidden: Math.max(0, exported - scope.services.length),
      unknownHosts: scope.outboundTrafficPolicy.mode ?? 'ALLOW_ANY',
    },
    exposes: proxy.type === 'router' ? exposuresOf(tables.view) : [],
    policies,
    problems: problemsOf(resources, [...mesh.problems, ...unsupportedProblems(mesh), ...tables.problems]),
  };
}

/** The Sidecar of a workload, and those that would be but for it. */
function sidecarUse(mesh: Mesh, proxy: ProxyNode, sidecar: Resource<Sidecar>): ResourceUse {
  const others = mesh
    .ofKind<Sidecar>('Sidecar')
    .filter((s) => s !== sidecar && s.metadata.namespace === proxy.namespace && isSubset(selectorOf(s), proxy.labels));
  return {
    origin: originAt(sidecar),
    state: 'acts',
    shadows: others.map((s) => ({ why: 'it takes the place of this one, which selects the workload too', by: originAt(s) })),
  };
}
