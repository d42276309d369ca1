import type { LocalityLoadBalancerSetting, ZoneAwareLoadBalancerSetting } from '../kinds/networking.ts';
import type { FieldPath } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import type { Report } from '../validation/report.ts';

const TOPOLOGY = new Set(['topology.kubernetes.io/region', 'topology.kubernetes.io/zone', 'topology.istio.io/subzone']);

/** Locality and zone-aware load balancing: shares by locality, and who takes over. */
export function checkLocalities(
  setting: LocalityLoadBalancerSetting | ZoneAwareLoadBalancerSetting,
  hasOutlierDetection: boolean,
  path: FieldPath,
  report: Report,
): void {
  const distribute = ('distribute' in setting ? setting.distribute : undefined) ?? [];
  const failover = setting.failover ?? [];
  const priority = setting.failoverPriority ?? [];
  const zoneAware = path.at(-1) === 'zoneAwareLbSetting';
  // The schema refuses distribute together with failover.
  if (distribute.length > 0 && failover.length > 0) return;
  const topology = priority.findIndex((label) => TOPOLOGY.has(label));
  if (topology !== -1 && (failover.length > 0 || zoneAware)) {
    const message = `${quote(priority[topology]!)} cannot be a failover priority ${zoneAware ? 'here' : 'together with `failover`'}`;
    report.error([...path, 'failoverPriority', topology], 'semantic/locality', message);
    if (!zoneAware) return;
  }
  if (distribute.length > 0) checkDistribute(distribute, [...path, 'distribute'], report);
  for (const [i, { from, to }] of failover.entries()) {
    const at = [...path, 'failover', i];
    if (from === to) report.error(at, 'semantic/locality', `failover from ${quote(from ?? '')} to itself does nothing`);
    for (const [field, region] of [
      ['from', from],
      ['to', to],
    ] as const) {
      if (region?.includes('/') || region?.includes('*'))
        report.error([...at, field], 'semantic/locality', `failover is between regions, not ${quote(region)}`);
    }
  }
  if (!hasOutlierDetection && (failover.length > 0 || priority.length > 0)) {
    report.warning(path, 'semantic/locality', 'failover does nothing without `outlierDetection` in the same policy', { atKey: true });
  }
}

type Distribute = NonNullable<LocalityLoadBalancerSetting['distribute']>;

function checkDistribute(distribute: Distribute, path: FieldPath, report: Report): void {
  for (const [i, { to }] of distribute.entries()) {
    let sum = 0;
    for (const [locality, weight] of Object.entries(to ?? {})) {
      if (weight < 1 || weight > 100) {
        report.error([...path, i, 'to', locality], 'semantic/locality', `a share is 1 to 100, not ${weight}`);
        return;
      }
      sum += weight;
    }
    if (sum !== 100) {
      report.error([...path, i, 'to'], 'semantic/locality', `the shares add up to ${sum}, not to 100`, { atKey: true });
      return;
    }
  }
  checkNames(
    distribute.map(({ from }) => from ?? ''),
    (i) => [...path, i, 'from'],
    report,
  );
  for (const [i, { to }] of distribute.entries()) {
    const names = Object.keys(to ?? {});
    checkNames(names, (j) => [...path, i, 'to', names[j]!], report);
  }
}

/** Says the first thing that is wrong with a list of localities. */
function checkNames(names: readonly string[], pathOf: (i: number) => FieldPath, report: Report): void {
  for (const [i, name] of names.entries()) {
    const star = name.indexOf('*');
    if (star !== -1 && star !== name.length - 1) {
      report.error(pathOf(i), 'semantic/locality', `a locality has one \`*\`, at its end: ${quote(name)}`, { atKey: true });
      return;
    }
    if (name.split('/').includes('')) {
      report.error(pathOf(i), 'semantic/locality', `a part of the locality ${quote(name)} is empty`, { atKey: true });
      return;
    }
    const other = names.slice(0, i).find((earlier) => covers(earlier, name));
    if (other !== undefined) {
      report.error(pathOf(i), 'semantic/locality', `the localities ${quote(other)} and ${quote(name)} overlap`, { atKey: true });
      return;
    }
  }
}

function covers(earlier: string, later: string): boolean {
  if (earlier === later) return true;
  if (earlier.endsWith('*')) return later.startsWith(earlier.slice(0, -1));
  return later.startsWith(`${earlier}/`) || earlier.startsWith(`${later}/`);
}
