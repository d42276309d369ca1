/** What is to be in the status of the Gateway API's objects whose controller Fairlead is. */
import type { GatewayClass } from '../../src/config/kinds/gateway-api.ts';
import type { Resource } from '../../src/config/resource.ts';
import type { GatewayState, RouteState } from '../../src/mesh/gateway-api/build.ts';
import { OWN_CONTROLLER } from '../../src/mesh/gateway-api/classes.ts';
import { type GatewayAddress, gatewayAddresses } from '../../src/mesh/gateway-api/gateway-addresses.ts';
import { GATEWAY_API, nameOf, type RouteKind } from '../../src/mesh/gateway-api/objects.ts';
import { type Condition, classStatus, gatewayStatus, routeStatus } from '../../src/mesh/gateway-api/status.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import type { ProxySet } from './concerned.ts';
import { countTaken, ofProxies } from './istio-condition.ts';
import type { WantedCondition } from './live-object.ts';
import { versionedOf } from './versioned.ts';

/** The status of a Gateway or a GatewayClass. */
export interface WantedGateway {
  readonly conditions: readonly WantedCondition[];
  readonly addresses?: readonly GatewayAddress[];
  readonly listeners?: readonly {
    readonly name: string;
    readonly supportedKinds: readonly { group: string; kind: RouteKind }[];
    readonly attachedRoutes: number;
    readonly conditions: readonly WantedCondition[];
  }[];
}

/** The entries of a route's status that are this controller's. */
export interface WantedParent {
  readonly parentRef: Readonly<Record<string, unknown>>;
  readonly conditions: readonly WantedCondition[];
}

/** What a status looks at besides the mesh. */
export interface GatewayFacts {
  /** The proxies that serve a Gateway. */
  proxiesOf(gateway: Resource): ProxySet;
  /** Whether proxies of a Gateway say that a certificate is there, by the name that listeners have for it; undefined: nobody knows. */
  hasCertificate(gateway: Resource, name: string): boolean | undefined;
  /** What its proxies refuse of it. */
  refusalsOf(gateway: Resource): readonly string[];
}

/** Only a Gateway that its proxies have taken is programmed. undefined: it is. */
function unprogrammed(gateway: Resource, facts: GatewayFacts): { reason: string; message: string } | undefined {
  const [refusal, ...more] = facts.refusalsOf(gateway);
  if (refusal !== undefined) return { reason: 'Invalid', message: more.length === 0 ? refusal : `${refusal}; and ${more.length} more` };
  const versioned = versionedOf(gateway);
  if (versioned === undefined) return undefined;
  const { taken, all } = countTaken(facts.proxiesOf(gateway), versioned);
  if (all === 0) return { reason: 'NoResources', message: 'there is no proxy that serves it' };
  if (taken < all) return { reason: 'Pending', message: `taken by ${ofProxies(taken, all)}` };
  return undefined;
}

function withProgrammed(conditions: readonly Condition[], why: { reason: string; message: string } | undefined): WantedCondition[] {
  return conditions.map((c) =>
    c.type === 'Programmed' && c.status === 'True' && why !== undefined ? { ...c, status: 'False', ...why } : c,
  );
}

/** undefined for Gateways of other controllers. */
export function wantedGateway(state: GatewayState, mesh: Mesh, facts: GatewayFacts): WantedGateway | undefined {
  const { gateway, controller } = state;
  if (controller !== OWN_CONTROLLER) return undefined;
  const status = gatewayStatus(state, mesh, (name) => facts.hasCertificate(gateway, name) ?? true);
  if (status === undefined) return undefined;
  const { addresses, waiting } = gatewayAddresses(gateway, mesh);
  const why = unprogrammed(gateway, facts);
  const assigned =
    why === undefined && waiting !== undefined && addresses.length === 0
      ? { reason: 'AddressNotAssigned', message: `the load balancer of Service ${waiting} has no address yet` }
      : undefined;
  return {
    conditions: withProgrammed(status.conditions, why ?? assigned),
    addresses,
    listeners: status.listeners.map((listener) => ({ ...listener, conditions: withProgrammed(listener.conditions, why) })),
  };
}

/** undefined for classes of other controllers. */
export function wantedClass(resource: Resource<GatewayClass>): WantedGateway | undefined {
  if (resource.spec.controllerName !== OWN_CONTROLLER) return undefined;
  const status = classStatus(resource);
  return status && { conditions: status.conditions };
}

/** A parent's entry is its Gateway's controller's; whose a Gateway is that is not there, nobody knows. */
export function wantedParents(state: RouteState, gateways: ReadonlyMap<string, GatewayState>): WantedParent[] {
  const own = state.parents.filter(({ kind, ref }) => {
    if (kind === 'Service') return true;
    if (kind === 'others') return false;
    const { namespace = state.route.metadata.namespace, name } = ref;
    return gateways.get(`${namespace}/${name}`)?.controller === OWN_CONTROLLER;
  });
  return routeStatus({ ...state, parents: own }).parents.map(({ parentRef, conditions }) => ({
    // As the API server completes it.
    parentRef: { group: GATEWAY_API, kind: 'Gateway', ...parentRef },
    conditions,
  }));
}

/** By `namespace/name`. */
export function gatewaysByName(mesh: Pick<Mesh, 'gatewayApi'>): ReadonlyMap<string, GatewayState> {
  return new Map(mesh.gatewayApi.gateways.map((state) => [nameOf(state.gateway), state]));
}
