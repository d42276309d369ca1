import { type PriorityHealth, type PriorityLoad, priorityLoad } from '../../../../src/upstream/priority-load.ts';
import type { Counter, LoadBalancerContext } from '../../types.ts';
import type { UpstreamHost } from '../host.ts';
import { HostGroup, type HostGroupOptions } from './host-group.ts';
import type { Picker, PickerFactory } from './picker.ts';

export interface LoadBalancerOptions extends Omit<HostGroupOptions, 'overprovisioning'> {
  make: PickerFactory;
  /** Percent of healthy hosts below which all are used; 0: never. */
  panicThreshold: number;
  /** `lb_healthy_panic`: choices made in panic. */
  panicked: Counter;
}

/** How the last load assignment wants priorities weighed. */
export interface AssignmentPolicy {
  /** Percent. */
  overprovisioning: number;
  weightedPriorityHealth: boolean;
}

/** Chooses priority, locality, host: in this order. Envoy: ZoneAwareLoadBalancerBase, without zones. */
export class LoadBalancer {
  readonly #options: LoadBalancerOptions;
  #hosts: Iterable<UpstreamHost> = [];
  #policy: AssignmentPolicy = { overprovisioning: 140, weightedPriorityHealth: false };
  #groups: HostGroup[] | undefined;
  #health: PriorityHealth[] = [];
  #load: PriorityLoad = { healthy: [], degraded: [], panic: [] };
  /** What every choice without a retry's wishes comes to, when one priority takes all of the load. */
  #only: Picker | undefined;

  constructor(options: LoadBalancerOptions) {
    this.#options = options;
  }

  /** Hosts, their weights or their health changed; what follows from it is found out at the next choice. */
  update(hosts: Iterable<UpstreamHost>, policy?: AssignmentPolicy): void {
    this.#hosts = hosts;
    if (policy !== undefined) this.#policy = policy;
    this.#groups = undefined;
  }

  choose(context: LoadBalancerContext): UpstreamHost | undefined {
    if (this.#groups === undefined) this.#build();
    const { avoid } = context;
    if (avoid === undefined || avoid.size === 0) return this.#pick(context, 0);
    // Envoy: after so many refused choices the last one is taken.
    const attempts = (context.maxReselections ?? 1) + 1;
    let host: UpstreamHost | undefined;
    for (let i = 0; i < attempts; i++) {
      host = this.#pick(context, i);
      if (host === undefined || !avoid.has(host)) return host;
    }
    return host;
  }

  #pick(context: LoadBalancerContext, attempt: number): UpstreamHost | undefined {
    if (this.#only !== undefined && context.avoidPriorities === undefined) return this.#only.pick(context, attempt);
    return this.#picker(context)?.pick(context, attempt);
  }

  #picker(context: LoadBalancerContext): Picker | undefined {
    const groups = this.#groups!;
    const load = context.avoidPriorities === undefined ? this.#load : this.#loadWithout(context.avoidPriorities);
    const { hashes, random } = this.#options;
    let left = hashes && context.hash !== undefined ? Number(context.hash % 100n) : Math.floor(random() * 100);
    for (const kind of ['healthy', 'degraded'] as const) {
      for (const [i, share] of load[kind].entries()) {
        left -= share;
        if (left >= 0) continue;
        const group = groups[i]!;
        if (this.#load.panic[i]) {
          this.#options.panicked.inc();
          return group.forAll;
        }
        return kind === 'healthy' ? group.forHealthy : group.forDegraded;
      }
    }
    return undefined;
  }

  /** Envoy: PreviousPrioritiesRetryPriority; when nothing else is left, priorities may be used again. */
  #loadWithout(avoid: ReadonlySet<number>): PriorityLoad {
    const health = this.#health.map((h, i) => (avoid.has(i) ? { ...h, healthy: 0, degraded: 0, weighted: undefined } : h));
    if (health.every((h) => h.healthy + h.degraded === 0)) return this.#load;
    return priorityLoad(health, 0, this.#policy.overprovisioning);
  }

  #build(): void {
    const { make, panicThreshold } = this.#options;
    const { overprovisioning, weightedPriorityHealth } = this.#policy;
    const groups: HostGroup[] = [];
    for (const host of this.#hosts) {
      while (groups.length <= host.priority) groups.push(new HostGroup(make, { ...this.#options, overprovisioning }));
      groups[host.priority]!.add(host);
    }
    this.#health = groups.map((g) => ({
      total: g.all.length,
      excluded: g.excluded,
      healthy: g.healthy.length,
      degraded: g.degraded.length,
      weighted: weightedPriorityHealth ? weighted(g) : undefined,
    }));
    this.#load = priorityLoad(this.#health, panicThreshold, overprovisioning);
    this.#groups = groups;
    const whole = this.#load.healthy.indexOf(100);
    this.#only = whole >= 0 && !this.#load.panic[whole] ? groups[whole]!.forHealthy : undefined;
  }
}

function weighted(group: HostGroup): { total: number; healthy: number; degraded: number } {
  const sum = (hosts: readonly UpstreamHost[]): number => hosts.reduce((n, h) => n + h.weight, 0);
  return { total: sum(group.all.filter((h) => !h.excluded)), healthy: sum(group.healthy), degraded: sum(group.degraded) };
}
