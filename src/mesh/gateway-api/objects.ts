import type {
  GatewayClass,
  GRPCRoute,
  HTTPRoute,
  KubernetesGateway,
  ReferenceGrant,
  TCPRoute,
  TLSRoute,
} from '../../config/kinds/gateway-api.ts';
import type { Resource } from '../../config/resource.ts';
import type { ResourceIndex } from '../resource-index.ts';

/** The group of the Gateway API's kinds. */
export const GATEWAY_API = 'gateway.networking.k8s.io';

export const ROUTE_KINDS = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'] as const;
export type RouteKind = (typeof ROUTE_KINDS)[number];

/** Any route: what all of them have in common. */
export type Route = Pick<HTTPRoute, 'parentRefs'> & { hostnames?: string[]; rules?: HTTPRoute['rules'] };

/** The objects of the Gateway API, oldest first. */
export interface GatewayApiObjects {
  readonly classes: readonly Resource<GatewayClass>[];
  readonly gateways: readonly Resource<KubernetesGateway>[];
  readonly http: readonly Resource<HTTPRoute>[];
  readonly grpc: readonly Resource<GRPCRoute>[];
  readonly tls: readonly Resource<TLSRoute>[];
  readonly tcp: readonly Resource<TCPRoute>[];
  readonly grants: readonly Resource<ReferenceGrant>[];
  readonly namespaces: readonly Resource[];
}

/** What of a mesh's resources is the Gateway API's, and the Namespaces that its selectors look at. */
export function gatewayApiObjects(index: ResourceIndex): GatewayApiObjects {
  const of = <Spec>(kind: string): readonly Resource<Spec>[] => index.ofKind<Spec>(`${GATEWAY_API}/${kind}`);
  return {
    classes: of('GatewayClass'),
    gateways: of('Gateway'),
    http: of('HTTPRoute'),
    grpc: of('GRPCRoute'),
    tls: of('TLSRoute'),
    tcp: of('TCPRoute'),
    grants: of('ReferenceGrant'),
    namespaces: index.ofKind('Namespace'),
  };
}

/** `namespace/name`. */
export function nameOf({ metadata }: Pick<Resource, 'metadata'>): string {
  return `${metadata.namespace}/${metadata.name}`;
}
