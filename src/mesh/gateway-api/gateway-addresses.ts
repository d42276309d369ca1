import type { KubernetesService, KubernetesServiceStatus } from '../../config/kinds/kubernetes.ts';
import type { Resource } from '../../config/resource.ts';
import type { Mesh } from '../types.ts';
import { GATEWAY_NAME } from './gateway-views.ts';

/** An address as a Gateway's status has it. */
export interface GatewayAddress {
  readonly type: 'IPAddress' | 'Hostname';
  readonly value: string;
}

/** The most that a status may have. */
const MOST = 16;

/**
 * Where a Gateway can be reached, by the Services in front of its pods (those of its namespace that select the label of its name): the
 * addresses of their load balancers, else their own host names. `waiting` names a Service whose load balancer has no address yet.
 */
export function gatewayAddresses(
  { metadata }: Pick<Resource, 'metadata'>,
  mesh: Pick<Mesh, 'ofKind' | 'config'>,
): { addresses: readonly GatewayAddress[]; waiting: string | undefined } {
  const { name, namespace } = metadata;
  const addresses: GatewayAddress[] = [];
  let waiting: string | undefined;
  for (const service of mesh.ofKind<KubernetesService>('Service')) {
    if (service.metadata.namespace !== namespace || service.cluster?.remote || service.spec.selector?.[GATEWAY_NAME] !== name) continue;
    if (service.spec.type !== 'LoadBalancer') {
      addresses.push({ type: 'Hostname', value: `${service.metadata.name}.${namespace}.svc.${mesh.config.domain}` });
      continue;
    }
    const ingress = ((service.status ?? {}) as KubernetesServiceStatus).loadBalancer?.ingress ?? [];
    if (ingress.length === 0) waiting ??= `${namespace}/${service.metadata.name}`;
    for (const { ip, hostname } of ingress) {
      if (ip) addresses.push({ type: 'IPAddress', value: ip });
      else if (hostname) addresses.push({ type: 'Hostname', value: hostname });
    }
  }
  return { addresses: addresses.slice(0, MOST), waiting };
}
