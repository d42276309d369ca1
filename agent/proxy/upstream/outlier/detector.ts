import type { EjectionType, OutlierConfig } from '../../../../src/upstream/outlier-config.ts';
import type { ClusterStats, Counter } from '../../types.ts';
import type { UpstreamHost } from '../host.ts';
import { createEjectionStats, type EjectionStats } from './ejection-stats.ts';
import { OutlierMonitor } from './monitor.ts';
import type { SuccessRate } from './success-rate.ts';

export interface OutlierDeps {
  stats: ClusterStats;
  /** Milliseconds, never going back. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** A host was ejected or is back: balancers have to look again. */
  changed(host: UpstreamHost): void;
}

/** Mean success rate and the rate below which a host is an outlier; -1 each while there is too little to tell. */
export interface SuccessRateNumbers {
  average: number;
  threshold: number;
}

/** Takes hosts that fail out of balancing, for a while. Envoy: DetectorImpl. */
export class OutlierDetector {
  readonly config: OutlierConfig;
  external: SuccessRateNumbers = { average: -1, threshold: -1 };
  localOrigin: SuccessRateNumbers = { average: -1, threshold: -1 };
  readonly #deps: OutlierDeps;
  readonly #stats: EjectionStats;
  readonly #monitors = new Set<OutlierMonitor>();

  constructor(config: OutlierConfig, deps: OutlierDeps) {
    this.config = config;
    this.#deps = deps;
    this.#stats = createEjectionStats(deps.stats);
  }

  add(host: UpstreamHost): void {
    host.monitor = new OutlierMonitor(this, host);
    this.#monitors.add(host.monitor);
  }

  remove(host: UpstreamHost): void {
    const { monitor } = host;
    if (monitor === undefined || !this.#monitors.delete(monitor)) return;
    if (host.ejected) this.#stats.active.dec();
  }

  onConsecutive(
    monitor: OutlierMonitor,
    type: 'consecutive_5xx' | 'consecutive_gateway_failure' | 'consecutive_local_origin_failure',
  ): void {
    // The host may have left, or be out already.
    if (!this.#monitors.has(monitor) || monitor.host.ejected) return;
    this.#stats.detected[type].inc();
    this.#eject(monitor, type);
    if (type === 'consecutive_5xx') this.#stats.consecutive5xx.inc();
    monitor.reset(type);
  }

  /** To be called every `config.interval`. */
  onInterval(): void {
    const now = this.#deps.now();
    for (const monitor of this.#monitors) {
      this.#maybeUneject(monitor, now);
      monitor.external.rotate();
      monitor.localOrigin.rotate();
    }
    this.external = this.#judge((m) => m.external, 'success_rate', 'failure_percentage');
    this.localOrigin = this.#judge((m) => m.localOrigin, 'local_origin_success_rate', 'local_origin_failure_percentage');
    for (const monitor of this.#monitors) {
      // Envoy: every healthy interval after an ejection makes the next one shorter.
      if (monitor.host.ejected || monitor.unejectedAt === undefined) continue;
      if (now - monitor.unejectedAt >= this.config.interval && monitor.backOff > 0) monitor.backOff--;
    }
  }

  #maybeUneject(monitor: OutlierMonitor, now: number): void {
    const { host } = monitor;
    if (!host.ejected) return;
    const { baseEjectionTime, maxEjectionTime } = this.config;
    const lasts = Math.min(baseEjectionTime * monitor.backOff, maxEjectionTime) + monitor.jitter;
    if (lasts > now - monitor.ejectedAt!) return;
    host.ejected = false;
    this.#stats.active.dec();
    monitor.reset();
    monitor.unejectedAt = now;
    this.#deps.changed(host);
  }

  #eject(monitor: OutlierMonitor, type: EjectionType): void {
    const { config } = this;
    const active = this.#stats.active.value;
    const within = (100 * (active + 1)) / this.#monitors.size <= Math.min(100, config.maxEjectionPercent);
    // Envoy 1.40: one host may go beyond the percentage only when always_eject_one_host says so.
    if (!within && !(config.alwaysEjectOneHost && active === 0)) {
      this.#stats.overflow.inc();
      return;
    }
    if (type === 'consecutive_5xx' || type === 'success_rate') this.#stats.total.inc();
    if (this.#deps.random() * 100 >= config.enforcing[type]) return;
    this.#stats.active.inc();
    this.#stats.enforcedTotal.inc();
    this.#stats.enforced[type].inc();
    monitor.host.ejected = true;
    monitor.ejections++;
    monitor.ejectedAt = this.#deps.now();
    monitor.jitter = Math.floor(this.#deps.random() * (config.maxEjectionTimeJitter + 1));
    if (monitor.backOff * config.baseEjectionTime < config.maxEjectionTime + config.baseEjectionTime) monitor.backOff++;
    this.#deps.changed(monitor.host);
  }

  #judge(rateOf: (m: OutlierMonitor) => SuccessRate, bySuccess: EjectionType, byFailure: EjectionType): SuccessRateNumbers {
    const { successRate, failurePercentage } = this.config;
    const size = this.#monitors.size;
    if (size < successRate.minimumHosts && size < failurePercentage.minimumHosts) return { average: -1, threshold: -1 };
    const forSuccess: OutlierMonitor[] = [];
    const forFailure: OutlierMonitor[] = [];
    for (const monitor of this.#monitors) {
      const rate = rateOf(monitor);
      if (monitor.host.ejected || rate.volume === 0) continue;
      if (rate.volume >= Math.min(successRate.requestVolume, failurePercentage.requestVolume)) rate.shown = rate.rate;
      if (rate.volume >= successRate.requestVolume) forSuccess.push(monitor);
      if (rate.volume >= failurePercentage.requestVolume) forFailure.push(monitor);
    }
    let numbers: SuccessRateNumbers = { average: -1, threshold: -1 };
    if (forSuccess.length > 0 && forSuccess.length >= successRate.minimumHosts) {
      const rates = forSuccess.map((m) => rateOf(m).rate);
      numbers = successRateThreshold(rates, successRate.stdevFactor / 1000);
      for (const [i, monitor] of forSuccess.entries()) {
        if (rates[i]! < numbers.threshold) {
          this.#stats.successRate.inc();
          this.#detected(monitor, bySuccess);
        }
      }
    }
    if (forFailure.length > 0 && forFailure.length >= failurePercentage.minimumHosts) {
      for (const monitor of forFailure) {
        if (monitor.host.ejected || 100 - rateOf(monitor).rate < failurePercentage.threshold) continue;
        this.#detected(monitor, byFailure);
      }
    }
    return numbers;
  }

  #detected(monitor: OutlierMonitor, type: EjectionType): void {
    (this.#stats.detected[type] as Counter).inc();
    this.#eject(monitor, type);
  }
}

/** Envoy: successRateEjectionThreshold; mean minus `factor` standard deviations of the population. */
function successRateThreshold(rates: readonly number[], factor: number): SuccessRateNumbers {
  const average = rates.reduce((sum, r) => sum + r, 0) / rates.length;
  const variance = rates.reduce((sum, r) => sum + (r - average) ** 2, 0) / rates.length;
  return { average, threshold: average - factor * Math.sqrt(variance) };
}
