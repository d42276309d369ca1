import type { UpstreamHost } from '../host.ts';

/** `slow_start_config`: a host that became healthy gets its share little by little. */
export interface SlowStart {
  /** Milliseconds. */
  window: number;
  aggression: number;
  /** Share of its weight that a host has at least, 0 to 1. */
  minimum: number;
}

/** The factor of a host's weight at `now`. Envoy: applySlowStartFactor. */
export function slowStartFactor(slow: SlowStart, host: UpstreamHost, now: number): number {
  if (host.healthySince === undefined || host.health !== 'healthy') return 1;
  const age = now - host.healthySince;
  if (age >= slow.window) return 1;
  const time = Math.max(1, age) / slow.window;
  const factor = slow.aggression === 1 ? time : time ** (1 / slow.aggression);
  return Math.max(factor, slow.minimum);
}

/** True while any host's weight is still growing. */
export function anySlow(slow: SlowStart | undefined, hosts: readonly UpstreamHost[], now: number): boolean {
  return slow !== undefined && hosts.some((h) => h.healthySince !== undefined && now - h.healthySince <= slow.window);
}
