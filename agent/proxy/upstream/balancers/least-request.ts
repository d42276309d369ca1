import type { UpstreamHost } from '../host.ts';
import { EdfScheduler } from './edf.ts';
import { equalWeights } from './equal-weights.ts';
import { NO_HOSTS, type PickerDeps, type PickerFactory } from './picker.ts';
import { anySlow, type SlowStart, slowStartFactor } from './slow-start.ts';

export interface LeastRequestOptions {
  /** Hosts to compare, 2 at least. */
  choices: number;
  /** How much active requests weigh against a host's weight. */
  activeBias: number;
  slowStart?: SlowStart | undefined;
}

/**
 * Equal weights: the one with the fewest active requests of a few random hosts. Else an EDF schedule with the weight divided
 * by (active requests + 1) to the power of the bias. Envoy: LeastRequestLoadBalancer.
 */
export function leastRequest(deps: PickerDeps, options: LeastRequestOptions): PickerFactory {
  const { choices, activeBias, slowStart } = options;
  return (hosts) => {
    if (hosts.length === 0) return NO_HOSTS;
    if (hosts.length === 1) return { pick: () => hosts[0] };
    if (equalWeights(hosts) && !anySlow(slowStart, hosts, deps.now())) {
      return {
        pick() {
          let best = hosts[Math.floor(deps.random() * hosts.length)]!;
          for (let i = 1; i < choices; i++) {
            const other = hosts[Math.floor(deps.random() * hosts.length)]!;
            if (other.stats.rqActive < best.stats.rqActive) best = other;
          }
          return best;
        },
      };
    }
    const weight = (h: UpstreamHost): number => {
      const own = slowStart === undefined ? h.weight : h.weight * slowStartFactor(slowStart, h, deps.now());
      if (activeBias === 0) return own;
      const active = h.stats.rqActive + 1;
      return own / (activeBias === 1 ? active : active ** activeBias);
    };
    const schedule = new EdfScheduler(hosts, weight, deps.random());
    return { pick: () => schedule.pick() };
  };
}
