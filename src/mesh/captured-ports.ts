import { labelOf } from './labels.ts';
import type { Workload } from './types.ts';

/** Metrics and health of the agent, gateways' health and Envoy's metrics: they answer without mesh TLS, as Istio's do. */
export const OWN_PORTS: readonly number[] = [15020, 15021, 15090];
export const INCLUDED_PORTS = 'traffic.sidecar.istio.io/includeInboundPorts';
export const EXCLUDED_PORTS = 'traffic.sidecar.istio.io/excludeInboundPorts';

/**
 * Whether connections to a port of a workload with interception pass its proxy, as its annotations have it. What they leave out reaches
 * the application itself. https://istio.io/latest/docs/reference/config/annotations/#TrafficIncludeInboundPorts
 */
export function isCapturedPort({ annotations }: Pick<Workload, 'annotations'>, port: number): boolean {
  const included = labelOf(annotations, INCLUDED_PORTS)?.trim() ?? '*';
  if (included !== '*') return portsIn(included).has(port);
  return !OWN_PORTS.includes(port) && !portsIn(labelOf(annotations, EXCLUDED_PORTS) ?? '').has(port);
}

const portsIn = (text: string): ReadonlySet<number> => new Set(text.split(',').map(Number));
