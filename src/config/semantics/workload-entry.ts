import type { WorkloadEntry } from '../kinds/networking.ts';
import type { FieldPath, Resource } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import type { Report } from '../validation/report.ts';
import { checkLabels } from './common.ts';
import { isDnsLabel, isFqdn, isIpAddress, isUnixPath } from './names.ts';

/** Istio's validation of WorkloadEntries (IST0106). */
export function checkWorkloadEntry(resource: Resource, report: Report): void {
  checkEndpoint(resource.spec as WorkloadEntry, ['spec'], { names: true }, report);
}

/** A WorkloadEntry, or an endpoint of a ServiceEntry, whose address is a name only with `names`. */
export function checkEndpoint(entry: WorkloadEntry, path: FieldPath, { names }: { names: boolean }, report: Report): void {
  const { address, network } = entry;
  if (!address && !network) {
    report.error(path, 'semantic/address', 'a workload needs `address`', {
      atKey: true,
      hint: 'Or `network`, when only a gateway reaches it',
    });
    return;
  }
  if (!address)
    report.warning(path, 'semantic/address', 'without `address` the workload is reached through a gateway of its network only', {
      atKey: true,
    });
  else checkAddress(entry, address, names, [...path, 'address'], report);
  for (const name of Object.keys(entry.ports ?? {})) {
    if (!isDnsLabel(name)) report.error([...path, 'ports', name], 'semantic/name', `${quote(name)} is no name of a port`, { atKey: true });
  }
  checkLabels(entry.labels, [...path, 'labels'], report);
}

function checkAddress(entry: WorkloadEntry, address: string, names: boolean, path: FieldPath, report: Report): void {
  if (address.startsWith('unix://')) {
    if (!isUnixPath(address.slice('unix://'.length)))
      report.error(path, 'semantic/address', `${quote(address)} is no absolute path of a socket`);
    if (Object.keys(entry.ports ?? {}).length > 0)
      report.error([...path.slice(0, -1), 'ports'], 'semantic/port', 'a unix socket has no ports', { atKey: true });
  } else if (!isIpAddress(address) && !(names && isFqdn(address))) {
    const hint = /:\d+$/.test(address) ? 'Leave out the port: ports have a field of their own' : undefined;
    report.error(path, 'semantic/address', `${quote(address)} is ${names ? 'neither an IP address nor a host name' : 'no IP address'}`, {
      hint,
    });
  }
}
