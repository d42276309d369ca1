import type { CorsPolicyJson } from '#envoy-api/envoy/extensions/filters/http/cors/v3/cors_pb.js';
import { applyCors, type CompiledCors, type CorsDecision, compileCors, decideCors } from '../../../src/routing/cors.ts';
import { filterConfigs } from '../../../src/routing/filter-config.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import type { Decision } from '../../../src/routing/types.ts';
import type { HttpFilter, HttpFilterFactory } from './http-filter.ts';

/** Cross-origin requests: answers preflights, marks answers. The policies are the routes'. Envoy: CORS filter. */
export const createCors: HttpFilterFactory = (name, _config, { statPrefix, stats, path }) => {
  const perDecision = new WeakMap<Decision, { cors: CompiledCors | undefined }>();
  const valid = stats.counter(`http.${statPrefix}.cors.origin_valid`);
  const invalid = stats.counter(`http.${statPrefix}.cors.origin_invalid`);

  function policyFor(decision: Decision): CompiledCors | undefined {
    let found = perDecision.get(decision);
    if (found === undefined) {
      // Problems were found when the routes were compiled.
      found = { cors: compileCors(filterConfigs(decision, name) as readonly CorsPolicyJson[], path, new ProblemList()) };
      perDecision.set(decision, found);
    }
    return found.cors;
  }

  const filter: HttpFilter = {
    name,
    onRequest(exchange) {
      const { decision, request } = exchange;
      if (decision?.kind !== 'route' || decision.filterLevels.length === 0) return true;
      const cors = policyFor(decision);
      if (cors === undefined || request.header('origin') === undefined) return true;
      const decided = decideCors(cors, request);
      (decided.kind === 'actual' ? valid : invalid).inc(decided.kind === 'preflight' ? 0 : 1);
      if (decided.kind === 'preflight') {
        exchange.localReply(200, '', 'cors_response', decided.headers);
        return false;
      }
      if (decided.kind === 'actual') {
        exchange.filterState ??= new Map();
        exchange.filterState.set(filter, decided);
      }
      return true;
    },
    onResponse(exchange, _status, headers) {
      const decided = exchange.filterState?.get(filter) as CorsDecision | undefined;
      if (decided === undefined) return;
      const cors = policyFor(exchange.decision!);
      if (cors !== undefined) applyCors(cors, decided, headers);
    },
  };
  return { filter, problems: [] };
};
