import type { GatewayClass, KubernetesGateway } from '../../config/kinds/gateway-api.ts';
import type { Resource } from '../../config/resource.ts';

/** Controllers whose Gateways are served here: the own one and Istio's. */
export const CONTROLLERS: readonly string[] = ['fairlead.dev/gateway-controller', 'istio.io/gateway-controller'];

/** Classes that are there without an object: Istio makes its own, and files seldom have any. */
const BUILT_IN: readonly string[] = ['fairlead', 'istio'];

/** Whose a Gateway is: `ours`, `others` (a class of another controller), or `unknown` (no such class). */
export function ownerOf(gateway: Resource<KubernetesGateway>, classes: readonly Resource<GatewayClass>[]): 'ours' | 'others' | 'unknown' {
  const { gatewayClassName: name } = gateway.spec;
  const found = classes.find((c) => c.metadata.name === name);
  if (found !== undefined) return CONTROLLERS.includes(found.spec.controllerName) ? 'ours' : 'others';
  return BUILT_IN.includes(name) ? 'ours' : 'unknown';
}
