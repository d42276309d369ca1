import type { UpstreamHost } from '../host.ts';
import { EdfScheduler } from './edf.ts';
import { NO_HOSTS, type Picker, type PickerFactory } from './picker.ts';

/** Hosts of one locality. */
interface Locality {
  weight: number;
  all: UpstreamHost[];
  healthy: UpstreamHost[];
  degraded: UpstreamHost[];
  excluded: number;
}

/** The hosts of one priority, and pickers over them. Pickers are made when they are first needed. */
export class HostGroup {
  readonly all: UpstreamHost[] = [];
  readonly healthy: UpstreamHost[] = [];
  readonly degraded: UpstreamHost[] = [];
  excluded = 0;
  readonly #make: PickerFactory;
  readonly #options: HostGroupOptions;
  readonly #localities = new Map<string, Locality>();
  #forAll: Picker | undefined;
  #forHealthy: Picker | undefined;
  #forDegraded: Picker | undefined;

  constructor(make: PickerFactory, options: HostGroupOptions) {
    this.#make = make;
    this.#options = options;
  }

  add(host: UpstreamHost): void {
    const key = JSON.stringify([host.region, host.zone, host.subZone]);
    let locality = this.#localities.get(key);
    if (locality === undefined) {
      locality = { weight: 0, all: [], healthy: [], degraded: [], excluded: 0 };
      this.#localities.set(key, locality);
    }
    // Envoy: a locality without a weight gets nothing when localities are weighed.
    locality.weight = host.localityWeight ?? locality.weight;
    for (const group of [this, locality]) {
      group.all.push(host);
      if (host.health === 'healthy') group.healthy.push(host);
      else if (host.health === 'degraded') group.degraded.push(host);
      if (host.excluded) group.excluded++;
    }
  }

  /** Whatever their health: in panic, localities do not count either. */
  get forAll(): Picker {
    this.#forAll ??= this.#make(this.all);
    return this.#forAll;
  }

  get forHealthy(): Picker {
    this.#forHealthy ??= this.#picker('healthy');
    return this.#forHealthy;
  }

  get forDegraded(): Picker {
    this.#forDegraded ??= this.#picker('degraded');
    return this.#forDegraded;
  }

  #picker(kind: 'healthy' | 'degraded'): Picker {
    if (!this.#options.weighLocalities) return this.#make(this[kind]);
    const weighed = [...this.#localities.values()]
      .map((l) => ({ hosts: l[kind], weight: effectiveWeight(l, kind, this.#options.overprovisioning) }))
      .filter((l) => l.weight > 0 && l.hosts.length > 0);
    // Envoy: when no locality has a weight, all of the priority's hosts are used.
    if (weighed.length === 0) return this.#make(this[kind]);
    if (this.#options.hashes) {
      const shares = weighed.flatMap(({ hosts, weight }) => {
        const sum = hosts.reduce((n, h) => n + h.weight, 0);
        return hosts.map((h) => (weight * h.weight) / sum);
      });
      return this.#make(
        weighed.flatMap((l) => l.hosts),
        shares,
      );
    }
    const schedule = new EdfScheduler(
      weighed.map((l) => ({ picker: this.#make(l.hosts), weight: l.weight })),
      (l) => l.weight,
      this.#options.random(),
    );
    return { pick: (context, attempt) => (schedule.pick()?.picker ?? NO_HOSTS).pick(context, attempt) };
  }
}

export interface HostGroupOptions {
  /** `locality_weighted_lb_config` is there. */
  weighLocalities: boolean;
  hashes: boolean;
  /** Percent. */
  overprovisioning: number;
  random(): number;
}

/** Envoy: effectiveLocalityWeight; a locality gives up share as it loses more hosts than the overprovisioning covers. */
function effectiveWeight(locality: Locality, kind: 'healthy' | 'degraded', overprovisioning: number): number {
  const total = locality.all.length - locality.excluded;
  if (total <= 0) return 0;
  return locality.weight * Math.min(1, (overprovisioning / 100) * (locality[kind].length / total));
}
