import type { Destination } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { Service } from '../../mesh/types.ts';
import type { BuildContext } from '../context.ts';
import { clusterName } from '../names.ts';
import { serviceOf } from './context.ts';

/** A destination of a rule, resolved as far as it can be. */
export interface ResolvedDestination {
  cluster: string;
  /** Complete. */
  host: string;
  port: number;
  subset: string;
  /** undefined: nothing visible here has this host. The cluster's name is written anyway, and Envoy answers 503 with flag NC. */
  service: Service | undefined;
}

/**
 * Istio's order for the port: the destination's, else the service's only one, else the listener's.
 *
 * @param from the resource that the rule was written in: its namespace completes short names
 */
export function resolveDestination(
  context: BuildContext,
  destination: Destination,
  from: Resource,
  listenPort: number,
): ResolvedDestination {
  const { host, service } = serviceOf(context, destination.host, from);
  const subset = destination.subset ?? '';
  const port = destination.port?.number || (service?.ports.length === 1 ? service.ports[0]!.number : listenPort);
  return { cluster: clusterName('outbound', port, subset, host), host, port, subset, service };
}
