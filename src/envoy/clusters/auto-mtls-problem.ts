import type { Problem } from '../../errors.ts';
import { problemAt } from '../../mesh/problem.ts';
import type { Endpoint, Mesh, ProxyScope } from '../../mesh/types.ts';
import { effectivePolicy } from './effective-policy.ts';

/** The first endpoint towards which Istio would use mesh mTLS by itself: it can, its service is inside the mesh, and no rule says otherwise. */
function firstExpecting(mesh: Mesh, scope: ProxyScope): Endpoint | undefined {
  for (const service of scope.services) {
    if (service.external) continue;
    const rule = scope.destinationRule(service);
    for (const port of service.ports) {
      if (effectivePolicy(rule, port).tls?.mode !== undefined) continue;
      const found = mesh.endpoints(service, port).find((e) => e.tlsMode === 'istio');
      if (found) return found;
    }
  }
  return undefined;
}

/** Says once for a proxy that automatic mTLS is not carried out, at the first workload that expects it. */
export function autoMtlsProblem(mesh: Mesh, scope: ProxyScope): Problem[] {
  const endpoint = mesh.config.enableAutoMtls === false ? undefined : firstExpecting(mesh, scope);
  if (endpoint === undefined) return [];
  return [
    problemAt(endpoint.resource, ['metadata'], {
      severity: 'warning',
      rule: 'unsupported/auto-mtls',
      message:
        'workloads expect automatic mTLS, which needs certificates that nothing issues yet: connections to them are made in plain text',
      hint: 'set enableAutoMtls: false in MeshConfig where plain text is meant',
    }),
  ];
}
