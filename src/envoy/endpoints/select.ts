import { isSubset } from '../../mesh/labels.ts';
import { inReach } from '../../mesh/networks.ts';
import type { EffectivePolicy, Endpoint, Mesh, ProxyScope, Service, ServicePort } from '../../mesh/types.ts';

const ipv4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** What EDS can carry: IP literals and unix paths. Envoy refuses a whole load assignment over one host name. */
export function isEdsAddress(address: string): boolean {
  return ipv4.test(address) || address.includes(':');
}

/** What narrows the endpoints of a service's port for one cluster of one proxy. */
export interface Selection {
  /** Labels of the subset; undefined for the whole service. */
  labels?: Readonly<Record<string, string>> | undefined;
  policy: EffectivePolicy;
  /** EDS takes addresses only; DNS clusters take names too. */
  eds: boolean;
  /** AUTO_PASSTHROUGH gateways pass mesh mTLS on and can use nothing else. */
  meshTlsOnly?: boolean;
}

/** The endpoints of one port that a cluster of this proxy uses, in the model's order. */
export function selectEndpoints(
  mesh: Mesh,
  scope: ProxyScope,
  service: Service,
  port: ServicePort,
  selection: Selection,
): readonly Endpoint[] {
  const all = mesh.endpoints(service, port);
  const labels = selection.labels ?? {};
  const node = service.internalTrafficPolicyLocal ? scope.proxy.workload.nodeName : undefined;
  // Istio: a panic threshold of the rule's own means that unhealthy endpoints must not be there to panic into.
  const healthyOnly = (selection.policy.outlierDetection?.minHealthPercent ?? 0) > 0;
  const keep = (e: Endpoint): boolean =>
    inReach(scope.proxy, e) &&
    isSubset(labels, e.labels) &&
    (node === undefined || e.nodeName === node) &&
    !(healthyOnly && e.health === 'unhealthy') &&
    !(selection.meshTlsOnly && e.tlsMode !== 'istio') &&
    (!selection.eds || isEdsAddress(e.address));
  return all.every(keep) ? all : all.filter(keep);
}
