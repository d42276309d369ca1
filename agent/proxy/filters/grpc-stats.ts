import type { FilterConfigJson } from '#envoy-api/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js';
import { ProblemList } from '../../../src/routing/problems.ts';
import type { Exchange } from '../http/exchange.ts';
import { GrpcFrameCounter } from '../http/grpc-frame-counter.ts';
import type { HttpFilter, HttpFilterFactory } from './http-filter.ts';

/**
 * Counts gRPC calls by outcome: `cluster.<name>.grpc.{success,failure,total,<status>}`, or by service and method when
 * stats_for_all_methods says so. With emit_filter_state messages are counted for the request's record. Envoy: gRPC statistics filter.
 */
export const createGrpcStats: HttpFilterFactory = (name, config, { stats, path }) => {
  const problems = new ProblemList();
  const json = config as FilterConfigJson;
  if (json.individualMethodStatsAllowlist !== undefined) problems.unsupported(`${path}.individualMethodStatsAllowlist`);
  if (json.enableUpstreamStats === true) problems.unsupported(`${path}.enableUpstreamStats`);
  const byMethod = json.statsForAllMethods === true;
  const filter: HttpFilter = {
    name,
    ...(json.emitFilterState === true && {
      onRequest(exchange: Exchange) {
        if (exchange.grpc) exchange.grpcMessages = { request: new GrpcFrameCounter(), response: new GrpcFrameCounter() };
        return true;
      },
    }),
    onEnd(exchange) {
      if (!exchange.grpc || exchange.upstreamCluster === '' || exchange.status === 0) return;
      const status = lookUp(exchange.responseTrailers, 'grpc-status') ?? lookUp(exchange.responseHeaders, 'grpc-status') ?? '2';
      const method = byMethod ? (/^\/([^/?]+)\/([^/?]+)/.exec(exchange.originalPath)?.slice(1).join('.') ?? '') : '';
      const prefix = `cluster.${exchange.upstreamCluster}.grpc.${method === '' ? '' : `${method}.`}`;
      if (/^\d{1,4}$/.test(status)) stats.counter(prefix + status).inc();
      stats.counter(`${prefix}${status === '0' ? 'success' : 'failure'}`).inc();
      stats.counter(`${prefix}total`).inc();
    },
  };
  return { filter: problems.failed ? undefined : filter, problems: problems.all };
};

function lookUp(headers: readonly string[] | undefined, name: string): string | undefined {
  if (headers !== undefined) for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}
