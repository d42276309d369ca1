import type { Problem } from '../../errors.ts';
import { problemAt } from '../../mesh/problem.ts';
import type { Mesh, ProxyScope, Service } from '../../mesh/types.ts';
import { discoveryOf } from './discovery.ts';

/** Endpoints that cannot be used as they are written. Host names where only addresses can be are the model's to report. */
export function serviceProblems(mesh: Mesh, scope: ProxyScope, service: Service): Problem[] {
  for (const port of service.ports) {
    if (discoveryOf(service, port, scope.proxy) !== 'LOGICAL_DNS') continue;
    const count = mesh.endpoints(service, port).length;
    if (count < 2) continue;
    return [
      problemAt(service.resource, ['spec', 'endpoints'], {
        severity: 'warning',
        rule: 'service/one-endpoint-only',
        message: `only the first of ${count} endpoints of ${service.host} is used: this way of resolving has a single name to resolve`,
        hint: 'use resolution DNS without a connect strategy',
      }),
    ];
  }
  return [];
}
