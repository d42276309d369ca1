import { normaliseGateway } from '../../mesh/gateway-names.ts';
import type { ProxyNode } from '../../mesh/types.ts';

/** The conditions of a match that are about the client, and decided while generating. */
export interface SourceConditions {
  port?: number;
  gateways?: readonly string[];
  sourceLabels?: Readonly<Record<string, string>>;
  sourceNamespace?: string;
}

function labelsHold(conditions: SourceConditions, proxy: ProxyNode): boolean {
  for (const [key, value] of Object.entries(conditions.sourceLabels ?? {}))
    if (!Object.hasOwn(proxy.labels, key) || proxy.labels[key] !== value) return false;
  return true;
}

function gatewaysHold(conditions: SourceConditions, namespace: string, gateway: string): boolean {
  return conditions.gateways!.some((g) => normaliseGateway(g, namespace) === gateway);
}

/**
 * Whether an HTTP match is for this client. Istio: `gateways` of a match takes the place of all other source conditions.
 *
 * @param namespace of the VirtualService, for short gateway names
 * @param gateway `mesh` or `<ns>/<name>`
 */
export function httpSourceHolds(conditions: SourceConditions, proxy: ProxyNode, namespace: string, gateway: string): boolean {
  if (conditions.gateways?.length) return gatewaysHold(conditions, namespace, gateway);
  return labelsHold(conditions, proxy) && (!conditions.sourceNamespace || conditions.sourceNamespace === proxy.namespace);
}

/** Whether a TLS or TCP match is for this client and port: all conditions must hold. */
export function layer4SourceHolds(
  conditions: SourceConditions,
  proxy: ProxyNode,
  namespace: string,
  gateway: string,
  port: number,
): boolean {
  if (conditions.port && conditions.port !== port) return false;
  if (conditions.gateways?.length && !gatewaysHold(conditions, namespace, gateway)) return false;
  return labelsHold(conditions, proxy) && (!conditions.sourceNamespace || conditions.sourceNamespace === proxy.namespace);
}
