import type { Gateway } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import { isSubset, type Labels, labelOf } from './labels.ts';
import type { GatewayView, ProxyScope } from './types.ts';

const noTranslation = 'experimental.istio.io/disable-gateway-port-translation';

/** What routers are told by. */
export interface Labelled {
  readonly labels: Labels;
  readonly namespace: string;
}

/** Istio's Gateways as views. */
export function istioGateways(gateways: readonly Resource<Gateway>[]): readonly GatewayView[] {
  return gateways.map((resource) => ({
    resource,
    spec: resource.spec,
    key: `${resource.metadata.namespace}/${resource.metadata.name}`,
    selector: resource.spec.selector ?? {},
    namespace: undefined,
    serverPath: (index) => ['spec', 'servers', index],
    claimsHosts: false,
  }));
}

/** Whether a router with these labels serves a Gateway. An empty selector is for all routers. */
export function selects({ selector, namespace }: Pick<GatewayView, 'selector' | 'namespace'>, router: Labelled): boolean {
  return (namespace === undefined || namespace === router.namespace) && isSubset(selector, router.labels);
}

/** Gateways that a router serves, in their order. */
export function gatewaysOf(gateways: readonly GatewayView[], router: Labelled): readonly GatewayView[] {
  return gateways.filter((gateway) => selects(gateway, router));
}

/** Where implied gateways listen for ports that only root may bind, as Istio's own gateway Service maps them: 80 to 8080, 443 to 8443. */
export function unprivilegedPort(port: number): number {
  if (port === 80) return 8080;
  return port > 0 && port < 1024 ? port + 8000 : port;
}

/**
 * The port that a gateway proxy listens on for a Gateway's server: the target port of the first service that selects the proxy and has
 * a port of that number; else as declared (privileged ports of an implied gateway are translated).
 */
export function gatewayListenPort(scope: Pick<ProxyScope, 'proxy' | 'instances'>, port: number): number {
  const { proxy, instances } = scope;
  if (labelOf(proxy.labels, noTranslation) !== undefined) return port;
  for (const { service, port: own, targetPort } of instances) {
    if (own.number === port && labelOf(service.resource.metadata.labels, noTranslation) === undefined) return targetPort;
  }
  return proxy.workload.kind === 'implied' ? unprivilegedPort(port) : port;
}
