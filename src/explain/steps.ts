/** Steps behind a route: cluster, endpoints, limits, the request that goes upstream. */

import { shownDuration } from './duration.ts';
import type { Forwarding } from './forward.ts';
import { addStep, type Trace } from './trace.ts';
import type { Destination } from './types.ts';

/** The steps from a cluster to its endpoints, limits, and the request that goes upstream. */
export function destinationSteps(
  trace: Trace,
  to: Destination,
  outcome: string | undefined,
  way: Omit<Forwarding, 'cluster' | 'destination'>,
): void {
  const what = to.subset === undefined ? '' : `, subset ${to.subset}`;
  addStep(trace, 'cluster', to.cluster, to.service === undefined ? `the cluster ${to.cluster}` : `${to.service} port ${to.port}${what}`, {
    outcome,
    origin: to.origin,
    details: { discovery: to.discovery, balancing: to.balancing, protocol: to.protocol, transport: to.transport },
  });
  endpointsStep(trace, to, outcome);
  limitsStep(trace, to, outcome, way);
  const { upstream } = way;
  if (upstream === undefined) return;
  addStep(trace, 'upstream', to.cluster, `sends ${upstream.method} ${upstream.path} with host ${upstream.authority}`, {
    effect: upstream.changes.length > 0 ? 'changes' : 'passes',
    outcome,
    details: { path: upstream.path, authority: upstream.authority, changes: upstream.changes },
  });
}

/** Timeouts, retries and limits in one step; those that say nothing are left out. */
function limitsStep(
  trace: Trace,
  to: Destination,
  outcome: string | undefined,
  { timeouts, retries }: Omit<Forwarding, 'cluster' | 'destination'>,
): void {
  const total = timeouts === undefined || timeouts.total === 0 ? 'no timeout' : `timeout ${shownDuration(timeouts.total)}`;
  const again =
    retries === undefined || retries.attempts === 0
      ? 'no retries'
      : `up to ${retries.attempts} ${retries.attempts === 1 ? 'retry' : 'retries'}`;
  const { limits, outlierDetection } = to;
  addStep(trace, 'limits', to.cluster, `${total}, ${again}`, {
    outcome,
    details: {
      timeout: timeouts?.total ?? 0,
      retries: retries?.attempts ?? 0,
      retryOn: [...(retries?.on ?? [])],
      maxConnections: limits.maxConnections,
      maxPendingRequests: limits.maxPendingRequests,
      maxRequests: limits.maxRequests,
      outlierDetection: outlierDetection !== undefined,
    },
  });
}

export function endpointsStep(trace: Trace, to: Destination, outcome: string | undefined): void {
  const usable = to.endpoints.filter((e) => e.share > 0);
  const details = { endpoints: to.endpoints.map((e) => `${e.address} ${e.health}`) };
  if (to.discovery === 'ORIGINAL_DST')
    addStep(trace, 'endpoints', to.cluster, 'the address that the client connected to', { outcome, details });
  else if (to.discovery === 'DNS_ON_DEMAND')
    addStep(trace, 'endpoints', to.cluster, 'whatever DNS says of the host, when the request comes', { outcome, details });
  else if (!to.endpointsKnown)
    addStep(trace, 'endpoints', to.cluster, 'not known: the dump was made without ?include_eds', { outcome, details, effect: 'unknown' });
  else if (usable.length === 0)
    addStep(trace, 'endpoints', to.cluster, to.endpoints.length === 0 ? 'there are none' : 'none is healthy', {
      outcome,
      details,
      effect: 'stops',
    });
  else addStep(trace, 'endpoints', to.cluster, `one of ${usable.length}`, { outcome, details });
}
