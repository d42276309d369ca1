import { finalizeResponse } from '../routing/finalize.ts';
import { grpcStatusOf, isGrpc } from '../routing/grpc.ts';
import { directResponseLocation, redirectLocation } from '../routing/redirect.ts';
import type { RouteRequest } from '../routing/request.ts';
import type { Decision, RouteDecision } from '../routing/types.ts';
import { clusterText } from './cluster-text.ts';
import { failures } from './failures.ts';
import { type ForwardContext, forward, pairs } from './forward.ts';
import { originOfMetadata, partOfRule } from './origin.ts';
import { destinationSteps } from './steps.ts';
import { addStep, endOutcome, type Trace } from './trace.ts';
import type { Origin, Outcome } from './types.ts';

/** Where the request ends once all filters let it pass: Envoy's router. */
export function end(
  trace: Trace,
  decision: Decision,
  request: RouteRequest,
  context: ForwardContext,
  share: number,
  added: readonly string[],
  id: string | undefined,
): Outcome {
  switch (decision.kind) {
    case 'not-found': {
      const summary =
        decision.virtualHost === undefined
          ? `404: no virtual host is for ${request.authority}`
          : `404: no route of ${decision.virtualHost.name} matches`;
      return ownAnswer('no-route', summary, request, decision, context, { share, status: 404, details: 'route_not_found', flags: 'NR' });
    }
    case 'redirect': {
      const location = redirectLocation(decision, request);
      addStep(trace, 'action', decision.route?.name ?? '', `redirects to ${location}`, {
        effect: 'stops',
        outcome: id,
        origin: writtenAt(trace, decision, 'redirect'),
      });
      const outcome = ownAnswer('redirect', `${decision.status} to ${location}`, request, decision, context, {
        share,
        status: decision.status,
        details: 'direct_response',
        headers: ['location', location],
      });
      return withLocation(outcome);
    }
    case 'direct-response': {
      const body = decision.body.toString('utf8');
      const location = directResponseLocation(decision.status, request);
      addStep(trace, 'action', decision.route.name, `answers ${decision.status} itself`, {
        effect: 'stops',
        outcome: id,
        origin: writtenAt(trace, decision, 'directResponse'),
      });
      const outcome = ownAnswer('direct-response', `${decision.status} from the proxy itself`, request, decision, context, {
        share,
        status: decision.status,
        details: 'direct_response',
        ...(location !== undefined && { headers: ['location', location] }),
        body,
      });
      return withLocation(outcome);
    }
    case 'route':
      return endUpstream(trace, decision, request, context, share, added, id);
  }
}

/** Rules for the answer's headers may have changed it. */
function withLocation(outcome: Outcome): Outcome {
  const location = outcome.responseHeaders.find(([name]) => name === 'location')?.[1];
  return location === undefined ? outcome : { ...outcome, location };
}

function endUpstream(
  trace: Trace,
  decision: RouteDecision,
  request: RouteRequest,
  context: ForwardContext,
  share: number,
  added: readonly string[],
  id: string | undefined,
): Outcome {
  const { cluster, destination, ...rest } = forward(decision, request, context);
  if (destination === undefined) {
    const status = decision.action.clusterNotFoundStatus;
    const which = cluster === '' ? `the header ${decision.clusterHeader} names no cluster` : `there is no cluster ${cluster}`;
    addStep(trace, 'cluster', cluster, which, { effect: 'stops', outcome: id });
    return ownAnswer('no-cluster', `${status}: ${which}`, request, decision, context, {
      share,
      status,
      details: 'cluster_not_found',
      flags: 'NC',
    });
  }
  const tunnel = decision.action.connect !== undefined && request.method === 'CONNECT';
  destinationSteps(trace, destination, id, tunnel ? { mirrors: [], responseHeaders: [] } : rest);
  const full = { ...rest, responseHeaders: [...rest.responseHeaders, ...pairs(added)], destination };
  const usable = destination.endpoints.some((e) => e.share > 0);
  const hosts = ['ORIGINAL_DST', 'DNS_ON_DEMAND'].includes(destination.discovery);
  if (!usable && !hosts && destination.endpointsKnown) {
    const type = destination.cluster === 'BlackHoleCluster' ? 'blackhole' : 'no-endpoints';
    const answer = ownAnswer(type, `503: ${clusterText(destination.cluster)} has no healthy endpoint`, request, decision, context, {
      share,
      status: 503,
      details: 'no_healthy_upstream',
      flags: 'UH',
      body: 'no healthy upstream',
    });
    return { ...answer, ...rest, responseHeaders: answer.responseHeaders, destination };
  }
  if (tunnel) {
    // The bytes of the tunnel go on, not the request (Envoy: connect_config).
    return endOutcome('forward', `tunnelled to ${clusterText(destination.cluster)}`, {
      share,
      tunnel: true,
      responseCodeDetails: 'via_upstream',
      responseHeaders: full.responseHeaders,
      destination,
      mayBecome: failures(destination, {}),
    });
  }
  const passthrough = destination.discovery === 'ORIGINAL_DST';
  return endOutcome(
    passthrough ? 'passthrough' : 'forward',
    passthrough ? passedOn(trace) : `forwarded to ${clusterText(destination.cluster)}`,
    {
      share,
      responseCodeDetails: 'via_upstream',
      ...full,
      mayBecome: failures(destination, rest),
    },
  );
}

const writtenAt = (trace: Trace, { route }: Decision, part: string): Origin | undefined =>
  partOfRule(originOfMetadata(route?.json.metadata, trace.view.locator), part, trace.view.locator);

const passedOn = (trace: Trace): string =>
  trace.entry === 'inbound' ? 'handed to the workload itself' : 'passed on to where the client wanted to go';

/** An answer of the proxy's own, as the client gets it; for gRPC clients as gRPC. */
export function ownAnswer(
  type: Outcome['type'],
  summary: string,
  request: RouteRequest,
  decision: Decision,
  context: ForwardContext,
  answer: {
    share: number;
    status: number;
    details: string;
    flags?: string;
    body?: string;
    headers?: readonly string[];
    grpcStatus?: number | undefined;
  },
): Outcome {
  const headers = [...(answer.headers ?? [])];
  if (decision.kind !== 'not-found') finalizeResponse(decision, headers, context.info);
  const grpc = isGrpc(request);
  const body = answer.body ?? '';
  if (grpc) headers.push('content-type', 'application/grpc');
  else if (body !== '' && !headers.includes('content-type')) headers.push('content-type', 'text/plain');
  const grpcStatus = answer.grpcStatus ?? grpcStatusOf(answer.status);
  return endOutcome(type, grpc ? summary.replace(/^\d{3}/, `gRPC status ${grpcStatus}`) : summary, {
    share: answer.share,
    status: grpc ? 200 : answer.status,
    ...(grpc ? { grpcStatus } : body !== '' && { body }),
    responseHeaders: pairs(headers),
    flags: answer.flags ?? '-',
    responseCodeDetails: answer.details,
  });
}
