import type { UpstreamHost } from '../host.ts';
import { EdfScheduler } from './edf.ts';
import { equalWeights } from './equal-weights.ts';
import { NO_HOSTS, type Picker, type PickerDeps, type PickerFactory } from './picker.ts';
import { anySlow, type SlowStart, slowStartFactor } from './slow-start.ts';

/** Round robin; by weight with an EDF schedule. Envoy: RoundRobinLoadBalancer. */
export function roundRobin(deps: PickerDeps, slow?: SlowStart): PickerFactory {
  return (hosts) => {
    if (hosts.length === 0) return NO_HOSTS;
    if (hosts.length === 1 || (equalWeights(hosts) && !anySlow(slow, hosts, deps.now()))) return inTurn(hosts, deps);
    const weight =
      slow === undefined ? (h: UpstreamHost) => h.weight : (h: UpstreamHost) => h.weight * slowStartFactor(slow, h, deps.now());
    const schedule = new EdfScheduler(hosts, weight, deps.random());
    return { pick: () => schedule.pick() };
  };
}

function inTurn(hosts: readonly UpstreamHost[], deps: PickerDeps): Picker {
  let next = Math.floor(deps.random() * hosts.length);
  return {
    pick() {
      if (next >= hosts.length) next = 0;
      return hosts[next++];
    },
  };
}
