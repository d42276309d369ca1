import type { Resource } from '../../config/resource.ts';
import { problemAt, type Report } from '../problem.ts';
import type { GatewayApi } from './build.ts';
import type { Fault } from './conditions.ts';

function ruleOf(reason: string): string {
  return `gateway-api/${reason.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()}`;
}

function reportFaults(resource: Resource, faults: readonly Fault[], report: Report): void {
  for (const { reason, message, path, hint } of faults)
    report(problemAt(resource, path, { severity: 'warning', rule: ruleOf(reason), message, ...(hint !== undefined && { hint }) }));
}

/** Says of every object of the Gateway API what of it does not take effect, and why. */
export function reportGatewayApi({ gateways, routes }: GatewayApi, report: Report): void {
  for (const { gateway, owner, listeners } of gateways) {
    if (owner === 'unknown') {
      const message = `there is no GatewayClass ${gateway.spec.gatewayClassName}: nobody serves this Gateway`;
      const hint = 'the classes `fairlead` and `istio` are there without an object';
      reportFaults(gateway, [{ condition: 'Accepted', reason: 'UnknownClass', path: ['spec', 'gatewayClassName'], message, hint }], report);
    }
    for (const listener of listeners) reportFaults(gateway, listener.faults, report);
  }
  for (const { route, parents, faults } of routes) {
    if (parents.length === 0)
      reportFaults(
        route,
        [{ condition: 'Accepted', reason: 'NoParent', path: ['spec'], message: 'it has no parentRefs: it is attached to nothing' }],
        report,
      );
    reportFaults(
      route,
      parents.flatMap((p) => (p.fault === undefined ? [] : [p.fault])),
      report,
    );
    // Whoever else serves it judges it.
    if (parents.some((p) => p.kind !== 'others')) reportFaults(route, faults, report);
  }
}
