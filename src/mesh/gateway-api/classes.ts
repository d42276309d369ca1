import type { GatewayClass, KubernetesGateway } from '../../config/kinds/gateway-api.ts';
import type { Resource } from '../../config/resource.ts';

/** The controller that Fairlead is, where it writes status. */
export const OWN_CONTROLLER = 'fairlead.dev/gateway-controller';

/** Controllers whose Gateways are served here: the own one and Istio's. */
export const CONTROLLERS: readonly string[] = [OWN_CONTROLLER, 'istio.io/gateway-controller'];

/** Classes that are there without an object: Istio makes its own, and files seldom have any. */
const BUILT_IN: ReadonlyMap<string, string> = new Map([
  ['fairlead', OWN_CONTROLLER],
  ['istio', 'istio.io/gateway-controller'],
]);

/** The controller of a Gateway's class; undefined: there is no such class. */
export function controllerOf(gateway: Resource<KubernetesGateway>, classes: readonly Resource<GatewayClass>[]): string | undefined {
  const { gatewayClassName: name } = gateway.spec;
  const found = classes.find((c) => c.metadata.name === name);
  return found === undefined ? BUILT_IN.get(name) : found.spec.controllerName;
}

/** Whose a Gateway is: `ours`, `others` (a class of another controller), or `unknown` (no such class). */
export function ownerOf(gateway: Resource<KubernetesGateway>, classes: readonly Resource<GatewayClass>[]): 'ours' | 'others' | 'unknown' {
  const controller = controllerOf(gateway, classes);
  if (controller === undefined) return 'unknown';
  return CONTROLLERS.includes(controller) ? 'ours' : 'others';
}
