import { isIp } from './addresses.ts';
import { isSubset } from './labels.ts';
import { problemAt, type Report } from './problem.ts';
import type { Service, Workload } from './types.ts';

/** WorkloadEntries with a host name or a socket for an address, which services that do not look names up leave out. */
export function checkEntryAddresses(workloads: readonly Workload[], services: readonly Service[], report: Report): void {
  for (const { kind, addresses, labels, namespace, resource } of workloads) {
    const [address = ''] = addresses;
    if (kind !== 'WorkloadEntry' || resource === undefined || address === '' || isIp(address)) continue;
    const hosts = new Set<string>();
    for (const service of services) {
      if (service.namespace !== namespace || service.resolution !== 'static' || service.selector === undefined) continue;
      if (isSubset(service.selector, labels)) hosts.add(service.host);
    }
    if (hosts.size === 0) continue;
    report(
      problemAt(resource, ['spec', 'address'], {
        severity: 'warning',
        rule: 'workload-entry/address',
        message: `${address} is no IP address, so this entry is no endpoint of ${[...hosts].join(', ')}`,
        hint: 'give its IP address, or select it by a ServiceEntry with resolution DNS',
      }),
    );
  }
}
