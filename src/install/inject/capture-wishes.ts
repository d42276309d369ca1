/** Which of a pod's connections are redirected to its sidecar, as its annotations say. https://istio.io/latest/docs/reference/config/annotations/ */
import { EXCLUDED_PORTS, INCLUDED_PORTS, OWN_PORTS } from '../../mesh/captured-ports.ts';
import { type CaptureSettings, captureAll, parseInterfaces, parsePorts, parseRanges } from '../capture/settings.ts';
import { USER } from '../objects/pods.ts';
import { EXCLUDED_RANGES } from './names.ts';

const TRAFFIC = 'traffic.sidecar.istio.io/';
export const REWRITE_PROBES = 'sidecar.istio.io/rewriteAppHTTPProbers';
/** Machines behind such interfaces would be called, and call, past the sidecar. */
const VIRTUAL = [`${TRAFFIC}kubevirtInterfaces`, 'istio.io/reroute-virtual-interfaces'];

export interface CaptureWishes {
  settings: CaptureSettings;
  /** Whether checks of the kubelet go by way of the agent. */
  rewriteProbes: boolean;
}

/** @param get the value of an annotation @param fault takes down what an annotation should be */
export function readCapture(
  get: (name: string) => string | undefined,
  fault: (name: string, should: string) => void,
  statusPort: number,
): CaptureWishes {
  function list<T>(name: string, parse: (text: string) => T[] | undefined, should: string): T[] {
    const read = parse(get(name) ?? '');
    if (read === undefined) fault(name, should);
    return read ?? [];
  }
  const ports = (name: string): number[] => list(name, parsePorts, 'a list of ports such as 80,8443');
  const ranges = (name: string): string[] => list(name, parseRanges, 'a list of networks such as 10.0.0.0/8');
  const all = (name: string): boolean => (get(name) ?? '*') === '*';
  const includedRanges = `${TRAFFIC}includeOutboundIPRanges`;
  for (const name of VIRTUAL) if (get(name)) fault(name, 'not acted on: connections of virtual machines cannot be redirected');
  const rewrite = get(REWRITE_PROBES);
  if (rewrite !== undefined && rewrite !== 'true' && rewrite !== 'false') fault(REWRITE_PROBES, 'true or false');
  return {
    settings: {
      ...captureAll(USER, USER),
      // Applications may have the group of the proxy; its user they may not.
      proxyGroups: [],
      includeInboundPorts: all(INCLUDED_PORTS) ? '*' : ports(INCLUDED_PORTS),
      excludeInboundPorts: [...new Set([...OWN_PORTS, statusPort, ...ports(EXCLUDED_PORTS)])].sort((a, b) => a - b),
      includeOutboundPorts: ports(`${TRAFFIC}includeOutboundPorts`),
      excludeOutboundPorts: ports(`${TRAFFIC}excludeOutboundPorts`),
      includeOutboundRanges: all(includedRanges) ? '*' : ranges(includedRanges),
      excludeOutboundRanges: ranges(EXCLUDED_RANGES),
      excludeInterfaces: list(`${TRAFFIC}excludeInterfaces`, parseInterfaces, 'a list of network interfaces such as eth1'),
    },
    rewriteProbes: rewrite !== 'false',
  };
}
