import type { FieldPath } from '../../resource.ts';
import type { Report } from '../../validation/report.ts';
import { hostHint, notAHost } from '../common.ts';
import { isIpAddress, isWildcardHost } from '../names.ts';

/** A hostname of the Gateway API: a name, or `*.` and a name; no address. */
export function checkHostname(host: string, path: FieldPath, report: Report): void {
  if (host === '*') {
    report.error(path, 'semantic/host', '`*` alone is no hostname here', { hint: 'Leave the field out to mean all hosts' });
  } else if (isIpAddress(host)) {
    report.error(path, 'semantic/host', `${host} is an address: hostnames are names`);
  } else if (!isWildcardHost(host) || (host.startsWith('*') && !host.startsWith('*.'))) {
    report.error(path, 'semantic/host', notAHost(host), { hint: hostHint(host) });
  }
}

/** Hostnames of a route. */
export function checkHostnames(hosts: readonly string[] | undefined, report: Report): void {
  for (const [i, host] of (hosts ?? []).entries()) checkHostname(host, ['spec', 'hostnames', i], report);
}
