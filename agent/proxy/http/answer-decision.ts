import { redirectLocation } from '../../../src/routing/redirect.ts';
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
  if (decision.kind === 'direct-response') exchange.localReply(decision.status, decision.body, 'direct_response');
  else exchange.localReply(decision.status, '', 'direct_response', ['location', redirectLocation(decision, exchange.request)]);
  return undefined;
}
