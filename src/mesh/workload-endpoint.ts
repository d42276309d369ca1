import type { WorkloadEntry } from '../config/kinds/networking.ts';
import type { Resource } from '../config/resource.ts';
import type { Labels } from './labels.ts';
import { withTopology } from './locality.ts';
import type { Endpoint, Workload } from './types.ts';
import { tlsModeOf } from './workloads.ts';

/** What of an endpoint is the workload's and the same for all its services. */
interface Common {
  labels: Labels;
  weight: number;
  workload: Endpoint['workload'];
  tlsMode: Endpoint['tlsMode'];
}

const memo = new WeakMap<Workload, Common>();

function commonOf(workload: Workload): Common {
  let common = memo.get(workload);
  if (common === undefined) {
    const entry = workload.kind === 'WorkloadEntry' ? (workload.resource?.spec as WorkloadEntry) : undefined;
    common = {
      labels: withTopology(workload.labels, workload),
      weight: entry?.weight || 1,
      workload: { name: workload.workloadName, namespace: workload.namespace },
      tlsMode: tlsModeOf(workload.labels, entry?.serviceAccount ?? ''),
    };
    memo.set(workload, common);
  }
  return common;
}

/** An endpoint that a workload serves. */
export function workloadEndpoint(
  workload: Workload,
  at: { address: string; port: number; health: Endpoint['health']; resource: Resource },
): Endpoint {
  const { locality, serviceAccount, network, nodeName } = workload;
  return { ...at, ...commonOf(workload), locality, serviceAccount, network, nodeName, runs: workload };
}
