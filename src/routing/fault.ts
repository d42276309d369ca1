import type { HTTPFaultJson } from '#envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { compileFraction, takes } from './fraction.ts';
import { compileHeaderMatcher, type HeaderCondition } from './header-matcher.ts';
import { jsonDuration } from './json-duration.ts';
import type { ProblemList } from './problems.ts';
import type { RouteRequest } from './request.ts';
import type { Fraction } from './types.ts';

export interface CompiledFault {
  /** Empty: every cluster. */
  readonly upstreamCluster: string;
  readonly headers: readonly HeaderCondition[];
  readonly downstreamNodes: readonly string[];
  readonly maxActive: number;
  /** `ms` undefined: the request's header says. */
  readonly delay: { ms: number | undefined; fraction: Fraction } | undefined;
  readonly abort: { http: number | undefined; grpc: number | undefined; byHeader: boolean; fraction: Fraction } | undefined;
}

/** What the fault filter does to one request: first the delay (flag DI), then the abort (flag FI). */
export interface FaultDecision {
  delayMs: number | undefined;
  /**
   * Details fault_filter_abort; one of the two is set. To a gRPC request (isGrpc) the answer is 200 without a body and with
   * grpc-status (2 for an HTTP status) and grpc-message; to others the status (200 for a gRPC one) with FAULT_ABORT_BODY.
   */
  abort: { httpStatus: number; grpcStatus: undefined } | { httpStatus: undefined; grpcStatus: number } | undefined;
  /** Nothing is done because max_active_faults are under way (stat faults_overflow). */
  overflow: boolean;
}

/** One object, so that the common answer costs nothing. */
export const NO_FAULT: FaultDecision = Object.freeze({ delayMs: undefined, abort: undefined, overflow: false });

/** Body of an aborted request. */
export const FAULT_ABORT_BODY = 'fault filter abort';

/** Compiles an HTTPFault: the filter's own, or a route's, which replaces it as a whole. */
export function compileFault(json: HTTPFaultJson, path: string, problems: ProblemList): CompiledFault {
  if (json.responseRateLimit !== undefined) problems.unsupported(`${path}.responseRateLimit`);
  const { delay, abort } = json;
  if (delay !== undefined && delay.fixedDelay === undefined && delay.headerDelay === undefined) {
    problems.invalid(`${path}.delay`, 'one of fixedDelay and headerDelay is required');
  }
  const fixed = jsonDuration(delay?.fixedDelay, `${path}.delay.fixedDelay`, problems);
  if (delay?.fixedDelay !== undefined && fixed === 0) problems.invalid(`${path}.delay.fixedDelay`, 'must be above 0');
  const byHeader = abort?.headerAbort !== undefined;
  if (abort !== undefined && !byHeader && abort.httpStatus === undefined && abort.grpcStatus === undefined) {
    problems.invalid(`${path}.abort`, 'one of httpStatus, grpcStatus and headerAbort is required');
  }
  const status = abort?.httpStatus;
  if (status !== undefined && (status < 200 || status >= 600))
    problems.invalid(`${path}.abort.httpStatus`, `${status} is not a status between 200 and 599`);
  return {
    upstreamCluster: json.upstreamCluster ?? '',
    headers: (json.headers ?? []).map((m, i) => compileHeaderMatcher(m, `headers[${i}]`, `${path}.headers[${i}]`, problems)),
    downstreamNodes: json.downstreamNodes ?? [],
    maxActive: json.maxActiveFaults ?? Number.POSITIVE_INFINITY,
    delay:
      delay === undefined
        ? undefined
        : { ms: delay.headerDelay === undefined ? fixed : undefined, fraction: compileFraction(delay.percentage) },
    abort:
      abort === undefined ? undefined : { http: status, grpc: abort.grpcStatus, byHeader, fraction: compileFraction(abort.percentage) },
  };
}

/**
 * Decides the fault of one request. `cluster` is the route's cluster, undefined for a redirect or direct response; `active` is how
 * many faults of this filter are under way. Envoy: the percentage of a header counts only as far as the configured one allows.
 */
export function decideFault(
  fault: CompiledFault,
  request: RouteRequest,
  cluster: string | undefined,
  active: number,
  random: () => number = Math.random,
): FaultDecision {
  if (fault.delay === undefined && fault.abort === undefined) return NO_FAULT;
  if (active >= fault.maxActive) return { ...NO_FAULT, overflow: true };
  if (fault.upstreamCluster !== '' && fault.upstreamCluster !== cluster) return NO_FAULT;
  if (fault.downstreamNodes.length > 0) {
    const node = request.header('x-envoy-downstream-service-node');
    if (node === undefined || !fault.downstreamNodes.includes(node)) return NO_FAULT;
  }
  for (const condition of fault.headers) if (!condition.test(request)) return NO_FAULT;
  const delayMs = delayOf(fault, request, random);
  const abort = abortOf(fault, request, random);
  return delayMs === undefined && abort === undefined ? NO_FAULT : { delayMs, abort, overflow: false };
}

function delayOf({ delay }: CompiledFault, request: RouteRequest, random: () => number): number | undefined {
  if (delay === undefined) return undefined;
  const ms = delay.ms ?? wholeNumber(request.header('x-envoy-fault-delay-request'));
  if (ms === undefined || ms === 0) return undefined;
  const fraction = delay.ms === undefined ? limited(delay.fraction, request, 'x-envoy-fault-delay-request-percentage') : delay.fraction;
  return takes(fraction, random()) ? ms : undefined;
}

function abortOf({ abort }: CompiledFault, request: RouteRequest, random: () => number): FaultDecision['abort'] {
  if (abort === undefined) return undefined;
  let { http, grpc } = abort;
  let { fraction } = abort;
  if (abort.byHeader) {
    http = wholeNumber(request.header('x-envoy-fault-abort-request'));
    if (http !== undefined && (http < 200 || http > 599)) http = undefined;
    grpc = http === undefined ? wholeNumber(request.header('x-envoy-fault-abort-grpc-request')) : undefined;
    fraction = limited(fraction, request, 'x-envoy-fault-abort-request-percentage');
  }
  if ((http === undefined && grpc === undefined) || !takes(fraction, random())) return undefined;
  return http === undefined ? { httpStatus: undefined, grpcStatus: grpc! } : { httpStatus: http, grpcStatus: undefined };
}

function limited(fraction: Fraction, request: RouteRequest, name: string): Fraction {
  const asked = wholeNumber(request.header(name));
  return asked === undefined ? fraction : { numerator: Math.min(asked, fraction.numerator), denominator: fraction.denominator };
}

function wholeNumber(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\+?\d{1,15}\s*$/.test(value) ? Number(value) : undefined;
}
