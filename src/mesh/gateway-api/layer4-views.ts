import type { TCPRoute, TLSRoute } from '../../config/kinds/gateway-api.ts';
import type { RouteDestination } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import { getOrMake } from '../memo.ts';
import type { VirtualServiceView } from '../types.ts';
import { type BackendInputs, nowhere, resolveBackend } from './backends.ts';
import type { Fault } from './conditions.ts';
import type { ApiListener } from './listeners.ts';
import { view } from './views.ts';

type Layer4Route = Resource<TLSRoute> | Resource<TCPRoute>;

/** Where connections go; those for an invalid backend's share are closed. */
export function layer4Targets(route: Layer4Route, inputs: BackendInputs): { route: RouteDestination[]; faults: Fault[] } {
  const faults: Fault[] = [];
  const targets = (route.spec.rules[0]?.backendRefs ?? []).map((ref, i): RouteDestination => {
    const backend = resolveBackend(ref, route, ['spec', 'rules', 0, 'backendRefs', i], inputs);
    if ('fault' in backend) faults.push(backend.fault);
    return { destination: 'fault' in backend ? nowhere(ref, route) : backend.destination, weight: ref.weight ?? 1 };
  });
  return { route: targets, faults };
}

/** Which server names of a listener the routes have that came before: the oldest has a name. */
export type TakenNames = Map<ApiListener, Set<string>>;

/** A TLSRoute at a listener that passes TLS on. undefined: older routes have all its names. */
export function tlsView(
  route: Resource<TLSRoute>,
  targets: RouteDestination[],
  listener: ApiListener,
  hosts: readonly string[],
  taken: TakenNames,
): VirtualServiceView | undefined {
  const names = getOrMake(taken, listener, () => new Set<string>());
  const free = hosts.filter((host) => !names.has(host));
  if (free.length === 0) return undefined;
  for (const host of free) names.add(host);
  const id = `${listener.key} ${route.metadata.namespace}/${route.metadata.name}`;
  return {
    ...view(id, route, free, listener.key, { tls: [{ match: [{ sniHosts: free }], route: targets }] }),
    layer4Path: ['spec', 'rules', 0],
  };
}

/** A TCPRoute at a listener: of several the oldest takes all connections. */
export function tcpView(route: Resource<TCPRoute>, targets: RouteDestination[], listener: ApiListener): VirtualServiceView {
  const id = `${listener.key} ${route.metadata.namespace}/${route.metadata.name}`;
  return { ...view(id, route, [listener.hostname], listener.key, { tcp: [{ route: targets }] }), layer4Path: ['spec', 'rules', 0] };
}
