import type { Problem } from '../../errors.ts';
import { problemAt } from '../../mesh/problem.ts';
import type { Mesh, ProxyScope, Service } from '../../mesh/types.ts';
import { isEdsAddress } from '../endpoints/select.ts';
import { discoveryOf } from './discovery.ts';

/** Endpoints that cannot be used as they are written, once each. */
export function serviceProblems(mesh: Mesh, scope: ProxyScope, service: Service): Problem[] {
  const out: Problem[] = [];
  const seen = new Set<string>();
  for (const port of service.ports) {
    const discovery = discoveryOf(service, port, scope.proxy);
    if (discovery !== 'EDS' && discovery !== 'LOGICAL_DNS') continue;
    const endpoints = mesh.endpoints(service, port);
    if (discovery === 'LOGICAL_DNS') {
      if (endpoints.length > 1 && !seen.has('')) {
        seen.add('');
        out.push(
          problemAt(service.resource, ['spec', 'endpoints'], {
            severity: 'warning',
            rule: 'unsupported/field',
            message: `only the first of ${endpoints.length} endpoints of ${service.host} is used with this resolution`,
            hint: 'use resolution DNS',
          }),
        );
      }
      continue;
    }
    for (const endpoint of endpoints) {
      if (isEdsAddress(endpoint.address) || seen.has(endpoint.address)) continue;
      seen.add(endpoint.address);
      out.push(
        problemAt(endpoint.resource, ['spec'], {
          severity: 'warning',
          rule: 'endpoint/not-an-address',
          message: `endpoint ${endpoint.address} of ${service.host} is a host name, which resolution STATIC leaves out`,
          hint: 'use an IP address, or resolution DNS',
        }),
      );
    }
  }
  return out;
}
