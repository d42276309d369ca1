import type { Resource } from '../../config/resource.ts';
import { completeHost } from '../../mesh/host-match.ts';
import type { Service, VirtualServiceView } from '../../mesh/types.ts';
import type { BuildContext } from '../context.ts';

/** What the translation of one VirtualService's rules looks at. */
export interface RouteContext extends BuildContext {
  readonly view: VirtualServiceView;
  /** The port that requests come in by (gateways: the server's declared one): decides `match.port` and is a destination's last resort. */
  readonly listenPort: number;
  /** The gateways on whose behalf rules are made: `mesh` for a sidecar, else one `<ns>/<name>`. */
  readonly gateway: string;
}

/** The service that a host in a rule means, seen from the resource that says it; ExternalName aliases are followed. */
export function serviceOf(context: BuildContext, host: string, from: Resource): { host: string; service: Service | undefined } {
  const complete = completeHost(host, from.metadata.namespace, context.mesh.config.domain);
  let service = context.scope.serviceByHost(complete);
  // Chains of aliases are flattened by the model; the bound is for data that is not.
  for (let i = 0; service?.aliasOf !== undefined && i < 8; i++) {
    const target = context.scope.serviceByHost(service.aliasOf);
    if (target === undefined) return { host: service.aliasOf, service: undefined };
    service = target;
  }
  return service === undefined ? { host: complete, service } : { host: service.host, service };
}
