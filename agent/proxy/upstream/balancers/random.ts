import { NO_HOSTS, type PickerDeps, type PickerFactory } from './picker.ts';

/** Any host, whatever its weight. Envoy: RandomLoadBalancer. */
export function random(deps: PickerDeps): PickerFactory {
  return (hosts) => (hosts.length === 0 ? NO_HOSTS : { pick: () => hosts[Math.floor(deps.random() * hosts.length)] });
}
