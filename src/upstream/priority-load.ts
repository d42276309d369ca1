/** How a cluster's load is spread over its priorities, percent each. Both lists together are 100. */
export interface PriorityLoad {
  healthy: number[];
  degraded: number[];
  /** Priorities whose hosts are used whatever their health. */
  panic: boolean[];
}

/** What is known of the hosts of one priority. */
export interface PriorityHealth {
  total: number;
  /** Hosts that do not count for its health. */
  excluded: number;
  healthy: number;
  degraded: number;
  /** The same numbers as sums of weights, when the load assignment asks for it. */
  weighted?: { total: number; healthy: number; degraded: number } | undefined;
}

/**
 * Envoy: LoadBalancerBase::recalculatePerPriorityState and …Panic. A priority is whole while its healthy share times the
 * overprovisioning factor reaches 100 %; what it lacks spills to the next one.
 *
 * @param panicThreshold percent; 0: never panic
 * @param overprovisioning percent, Envoy's default is 140
 */
export function priorityLoad(priorities: readonly PriorityHealth[], panicThreshold: number, overprovisioning: number): PriorityLoad {
  const share = (p: PriorityHealth, kind: 'healthy' | 'degraded'): number => {
    const total = p.weighted?.total ?? p.total - p.excluded;
    return total <= 0 ? 0 : Math.min(100, Math.floor((overprovisioning * (p.weighted?.[kind] ?? p[kind])) / total));
  };
  const health = priorities.map((p) => share(p, 'healthy'));
  const degradedHealth = priorities.map((p) => share(p, 'degraded'));
  const available = Math.min(100, sum(health) + sum(degradedHealth));
  const load: PriorityLoad = {
    healthy: priorities.map(() => 0),
    degraded: priorities.map(() => 0),
    panic: priorities.map(() => false),
  };
  if (priorities.length === 0) return load;
  if (available > 0) {
    let left = distribute(load.healthy, health, 100, available);
    left = distribute(load.degraded, degradedHealth, left, available);
    const first = health.findIndex((h) => h > 0);
    if (left > 0 && first >= 0) load.healthy[first]! += left;
    else if (left > 0) load.degraded[degradedHealth.findIndex((h) => h > 0)]! += left;
  } else if (panicThreshold === 0) {
    // Nothing is healthy and panic is off: all goes to the first priority, which has no one to answer.
    load.healthy[0] = 100;
    return load;
  }
  for (const [i, p] of priorities.entries()) load.panic[i] = available !== 100 && inPanic(p, panicThreshold);
  if (load.panic.every(Boolean)) panicLoad(load, priorities);
  return load;
}

function inPanic(p: PriorityHealth, threshold: number): boolean {
  const total = p.total - p.excluded;
  const percent = total === 0 ? 0 : (100 * (p.healthy + p.degraded)) / total;
  return percent < threshold;
}

function distribute(load: number[], health: readonly number[], total: number, available: number): number {
  let left = total;
  for (const [i, h] of health.entries()) {
    load[i] = Math.min(left, Math.floor((h * 100) / available));
    left -= load[i]!;
  }
  return left;
}

/** Envoy: recalculateLoadInTotalPanic; by number of hosts, healthy or not. */
function panicLoad(load: PriorityLoad, priorities: readonly PriorityHealth[]): void {
  const all = sum(priorities.map((p) => p.total));
  load.degraded.fill(0);
  load.healthy.fill(0);
  if (all === 0) {
    load.healthy[0] = 100;
    return;
  }
  for (const [i, p] of priorities.entries()) load.healthy[i] = Math.floor((100 * p.total) / all);
  load.healthy[priorities.findIndex((p) => p.total > 0)]! += 100 - sum(load.healthy);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
