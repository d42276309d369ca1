import { directResponseLocation, redirectLocation } from '../../../src/routing/redirect.ts';
import type { Decision, RouteDecision } from '../../../src/routing/types.ts';
import type { Exchange } from './exchange.ts';

/** Answers what asks no cluster: no route, a redirect, a direct response. The route when there is one to take. */
export function answerDecision(exchange: Exchange, decision: Decision): RouteDecision | undefined {
  if (decision.kind === 'route') return decision;
  const { stats } = exchange.manager;
  if (decision.kind === 'not-found') {
    stats.noRoute.value++;
    exchange.addFlag('NR');
    exchange.localReply(404, '', 'route_not_found');
    return undefined;
  }
  stats.directResponse.value++;
  const direct = decision.kind === 'direct-response';
  const location = direct ? directResponseLocation(decision.status, exchange.request) : redirectLocation(decision, exchange.request);
  const headers = location === undefined ? undefined : ['location', location];
  exchange.localReply(decision.status, direct ? decision.body : '', 'direct_response', headers);
  return undefined;
}
