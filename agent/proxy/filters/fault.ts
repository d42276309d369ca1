import type { HTTPFaultJson } from '#envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { type CompiledFault, compileFault, decideFault, FAULT_ABORT_BODY, type FaultDecision } from '../../../src/routing/fault.ts';
import { filterConfig } from '../../../src/routing/filter-config.ts';
import { clusterName } from '../../../src/routing/match.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import type { Exchange } from '../http/exchange.ts';
import { startTimer, type WheelTimer } from '../http/timer-wheel.ts';
import type { HttpFilter, HttpFilterFactory } from './http-filter.ts';

/** Injects delays and aborts. Envoy: fault filter; a route's configuration replaces the filter's own. */
export const createFault: HttpFilterFactory = (name, config, { statPrefix, stats, path }) => {
  const problems = new ProblemList();
  const own = compileFault(config as HTTPFaultJson, path, problems);
  const perRoute = new WeakMap<object, CompiledFault>();
  const timers = new WeakMap<Exchange, WheelTimer>();
  const prefix = `http.${statPrefix}.fault.`;
  const delays = stats.counter(`${prefix}delays_injected`);
  const aborts = stats.counter(`${prefix}aborts_injected`);
  const overflow = stats.counter(`${prefix}faults_overflow`);
  const active = stats.gauge(`${prefix}active_faults`);

  function configFor(exchange: Exchange): CompiledFault {
    const { decision } = exchange;
    const json = decision === undefined || decision.filterLevels.length === 0 ? undefined : filterConfig(decision, name);
    if (json === undefined) return own;
    let fault = perRoute.get(json as object);
    if (fault === undefined) {
      // Its problems were found when the routes were compiled.
      fault = compileFault(json as HTTPFaultJson, path, new ProblemList());
      perRoute.set(json as object, fault);
    }
    return fault;
  }

  function abort(exchange: Exchange, what: NonNullable<FaultDecision['abort']>): void {
    aborts.inc();
    exchange.addFlag('FI');
    if (what.grpcStatus === undefined) exchange.localReply(what.httpStatus, FAULT_ABORT_BODY, 'fault_filter_abort');
    else exchange.localReply(200, FAULT_ABORT_BODY, 'fault_filter_abort', undefined, what.grpcStatus);
  }

  function release(exchange: Exchange): void {
    if (exchange.filterState?.delete(filter) !== true) return;
    active.dec();
    timers.get(exchange)?.cancel();
  }

  const filter: HttpFilter = {
    name,
    onRequest(exchange) {
      const fault = configFor(exchange);
      if (fault.delay === undefined && fault.abort === undefined) return true;
      const { decision } = exchange;
      const cluster = decision?.kind === 'route' ? clusterName(decision, exchange.request) : undefined;
      const decided = decideFault(fault, exchange.request, cluster, active.value);
      if (decided.overflow) overflow.inc();
      if (decided.delayMs === undefined && decided.abort === undefined) return true;
      active.inc();
      exchange.filterState ??= new Map();
      exchange.filterState.set(filter, decided);
      // Envoy: the request belongs to its cluster from here on.
      if (cluster !== undefined && exchange.manager.clusters.get(cluster) !== undefined) exchange.upstreamCluster = cluster;
      if (decided.delayMs === undefined) {
        abort(exchange, decided.abort!);
        return false;
      }
      delays.inc();
      exchange.addFlag('DI');
      const then = {
        onTimer(): void {
          if (exchange.done) return;
          if (decided.abort !== undefined) {
            abort(exchange, decided.abort);
            return;
          }
          release(exchange);
          exchange.continueRequest();
        },
      };
      timers.set(exchange, startTimer(then, 0, decided.delayMs));
      return false;
    },
    onEnd(exchange) {
      if (exchange.filterState !== undefined) release(exchange);
    },
  };
  return { filter: problems.failed ? undefined : filter, problems: problems.all };
};
