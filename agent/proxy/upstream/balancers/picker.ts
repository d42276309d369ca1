import type { LoadBalancerContext } from '../../types.ts';
import type { UpstreamHost } from '../host.ts';

/** Chooses among a fixed list of hosts. A new list is a new picker. */
export interface Picker {
  /** @param attempt 0 at first; then how often the choice was refused */
  pick(context: LoadBalancerContext, attempt: number): UpstreamHost | undefined;
}

/** What pickers need of the world. */
export interface PickerDeps {
  /** In [0, 1). */
  random(): number;
  /** Milliseconds, never going back. */
  now(): number;
}

/** Makes a picker. `shares` are the hosts' weights where localities have weights too (consistent hashing); else the hosts' own. */
export type PickerFactory = (hosts: readonly UpstreamHost[], shares?: readonly number[]) => Picker;

export const NO_HOSTS: Picker = { pick: () => undefined };
