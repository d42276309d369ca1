import { HTTP_PROXY_PORT } from './checks.ts';
import { labelOf } from './labels.ts';
import type { Interception, ResolvedMeshConfig, Workload } from './types.ts';

function isInterception(text: string | undefined): text is Interception {
  return text === 'NONE' || text === 'REDIRECT' || text === 'TPROXY';
}

/** How traffic gets to a workload's proxy: its annotation, else MeshConfig, else REDIRECT for pods and NONE for all others. */
export function interceptionOf(workload: Workload, config: ResolvedMeshConfig): Interception {
  const own = labelOf(workload.annotations, 'sidecar.istio.io/interceptionMode');
  if (isInterception(own)) return own;
  const general = config.defaultConfig?.interceptionMode;
  if (isInterception(general)) return general;
  return workload.kind === 'Pod' ? 'REDIRECT' : 'NONE';
}

/** The port that a workload's annotation asks for, when it is one. */
function annotatedPort(workload: Workload): number | undefined {
  const port = Number(labelOf(workload.annotations, HTTP_PROXY_PORT));
  return Number.isInteger(port) && port > 0 && port <= 65535 ? port : undefined;
}

/** Where the second explicit proxy of a node listens; the next ones count up from it. */
const SECOND_PORT = 15101;

/**
 * The explicit proxy ports of the sidecars of one node, which are sorted by namespace and name: the annotation's; else MeshConfig's
 * proxyHttpPort (or 15001) for the first and 15101, 15102, … for the next ones, ports that an annotation claims left out. Sidecars
 * that capture traffic have one only when MeshConfig sets it.
 */
export function httpProxyPorts(sidecars: readonly Workload[], config: ResolvedMeshConfig): ReadonlyMap<Workload, number> {
  const ports = new Map<Workload, number>();
  const taken = new Set<number>();
  const waiting: Workload[] = [];
  for (const workload of sidecars) {
    const own = annotatedPort(workload);
    if (own !== undefined) {
      ports.set(workload, own);
      taken.add(own);
    } else if (interceptionOf(workload, config) === 'NONE') {
      waiting.push(workload);
    } else if (config.proxyHttpPort) {
      ports.set(workload, config.proxyHttpPort);
    }
  }
  let next = config.proxyHttpPort || 15001;
  for (const workload of waiting) {
    while (taken.has(next)) next = next < SECOND_PORT ? SECOND_PORT : next + 1;
    ports.set(workload, next);
    taken.add(next);
  }
  return ports;
}
