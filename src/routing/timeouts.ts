import type { RouteActionJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { isGrpc } from './grpc.ts';
import { jsonDuration } from './json-duration.ts';
import type { ProblemList } from './problems.ts';
import type { RouteRequest } from './request.ts';
import type { RouteDecision } from './types.ts';

/** Envoy's default route timeout. */
const DEFAULT_TIMEOUT_MS = 15_000;

/** A route's timeouts in milliseconds; undefined where not configured. */
export interface CompiledTimeouts {
  readonly timeout: number;
  readonly idleTimeout: number | undefined;
  readonly maxGrpcTimeout: number | undefined;
  readonly grpcTimeoutOffset: number | undefined;
  /** max_stream_duration is there: the route timeout does not count (Envoy: using_new_timeouts). */
  readonly newTimeouts: boolean;
  readonly maxStreamDuration: number | undefined;
  readonly grpcTimeoutHeaderMax: number | undefined;
  readonly grpcTimeoutHeaderOffset: number | undefined;
}

/** The timeouts of one request in milliseconds; 0 is none, undefined leaves it to the connection manager's own. */
export interface RequestTimeouts {
  /** From the end of the request to the end of the response. */
  global: number;
  /** Of one attempt; 0 when it would be no shorter than the global one. */
  perTry: number;
  perTryIdle: number;
  /** Of the stream; overrides stream_idle_timeout. */
  idle: number | undefined;
  /** Of the stream from its start; undefined: common_http_protocol_options.max_stream_duration. */
  maxStream: number | undefined;
  /** x-envoy-upstream-stream-duration-ms: how long the upstream's side may take; undefined: the cluster's own. */
  upstreamStream: number | undefined;
  /** x-envoy-expected-rq-timeout-ms for the upstream; 0: none. */
  expected: number;
  /** grpc-timeout as it must go upstream; undefined leaves it as it came. */
  grpcTimeout: string | undefined;
}

/** Compiles the timeouts of a RouteAction. */
export function compileTimeouts(json: RouteActionJson, path: string, problems: ProblemList): CompiledTimeouts {
  const of = (text: string | undefined, field: string): number | undefined => jsonDuration(text, `${path}.${field}`, problems);
  const stream = json.maxStreamDuration;
  return {
    timeout: of(json.timeout, 'timeout') ?? DEFAULT_TIMEOUT_MS,
    idleTimeout: of(json.idleTimeout, 'idleTimeout'),
    maxGrpcTimeout: of(json.maxGrpcTimeout, 'maxGrpcTimeout'),
    grpcTimeoutOffset: of(json.grpcTimeoutOffset, 'grpcTimeoutOffset'),
    newTimeouts: stream !== undefined,
    maxStreamDuration: of(stream?.maxStreamDuration, 'maxStreamDuration.maxStreamDuration'),
    grpcTimeoutHeaderMax: of(stream?.grpcTimeoutHeaderMax, 'maxStreamDuration.grpcTimeoutHeaderMax'),
    grpcTimeoutHeaderOffset: of(stream?.grpcTimeoutHeaderOffset, 'maxStreamDuration.grpcTimeoutHeaderOffset'),
  };
}

/**
 * The timeouts of one request: the route's, changed by grpc-timeout and by x-envoy-upstream-rq-timeout-ms and its kin. Those
 * headers are obeyed whoever sent them: the connection manager removes them from external requests. Envoy: router filter.
 */
export function timeoutsOf(decision: RouteDecision, request: RouteRequest): RequestTimeouts {
  const { timeouts, retry } = decision.action;
  const grpc = isGrpc(request);
  const header = grpc || timeouts.grpcTimeoutHeaderMax !== undefined ? grpcTimeoutMs(request.header('grpc-timeout')) : undefined;
  const capsGrpc = grpc && timeouts.maxGrpcTimeout !== undefined && !timeouts.newTimeouts;
  let global = timeouts.newTimeouts ? 0 : timeouts.timeout;
  if (capsGrpc) {
    global = header ?? 0;
    // Only when something remains: 0 would mean no timeout.
    if (timeouts.grpcTimeoutOffset !== undefined && timeouts.grpcTimeoutOffset < global) global -= timeouts.grpcTimeoutOffset;
    if (timeouts.maxGrpcTimeout !== 0 && (global === 0 || global > timeouts.maxGrpcTimeout!)) global = timeouts.maxGrpcTimeout!;
  }
  global = milliseconds(request.header('x-envoy-upstream-rq-timeout-ms')) ?? global;
  let perTry = milliseconds(request.header('x-envoy-upstream-rq-per-try-timeout-ms')) ?? retry?.perTryTimeout ?? 0;
  if (perTry >= global && global !== 0) perTry = 0;
  const expected = perTry === 0 ? global : perTry;
  const maxStream = maxStreamDuration(timeouts, header);
  let grpcTimeout: string | undefined;
  if (capsGrpc && expected > 0) grpcTimeout = toGrpcTimeout(expected);
  else if (header !== undefined && timeouts.grpcTimeoutHeaderMax !== undefined) grpcTimeout = toGrpcTimeout(maxStream ?? 0);
  return {
    global,
    perTry,
    perTryIdle: retry?.perTryIdleTimeout ?? 0,
    idle: timeouts.idleTimeout,
    maxStream,
    upstreamStream: milliseconds(request.header('x-envoy-upstream-stream-duration-ms')),
    expected,
    grpcTimeout,
  };
}

/** Envoy: HCM refreshDurationTimeout. */
function maxStreamDuration(timeouts: CompiledTimeouts, header: number | undefined): number | undefined {
  const { grpcTimeoutHeaderMax: max, grpcTimeoutHeaderOffset: offset } = timeouts;
  if (header === undefined || max === undefined) return timeouts.maxStreamDuration;
  let left = max !== 0 && header > max ? max : header;
  if (left !== 0 && offset !== undefined) left = offset < left ? left - offset : 0;
  return left;
}

function milliseconds(value: string | undefined): number | undefined {
  if (value === undefined || !/^\s*\+?\d+\s*$/.test(value)) return undefined;
  const ms = Number(value);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** grpc-timeout in milliseconds, parts of one rounded up; undefined when it is not one. */
export function grpcTimeoutMs(value: string | undefined): number | undefined {
  const found = value === undefined ? null : /^(\d{1,8})([HMSmun])$/.exec(value);
  return found === null ? undefined : Math.ceil(Number(found[1]) * units[found[2]!]!);
}

/** At most eight digits: a unit that is large enough. */
export function toGrpcTimeout(ms: number): string {
  let value = Math.floor(ms);
  for (const [unit, size] of [
    ['m', 1000],
    ['S', 60],
    ['M', 60],
  ] as const) {
    if (value <= 99_999_999) return `${value}${unit}`;
    value = Math.floor(value / size);
  }
  return `${Math.min(value, 99_999_999)}H`;
}
