import type { RetryPolicyJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { compileHeaderMatcher, type HeaderCondition } from './header-matcher.ts';
import { jsonDuration } from './json-duration.ts';
import type { ProblemList } from './problems.ts';
import { parseRetryOn, RETRY_GRPC_ON, RETRY_ON } from './retry-on.ts';

/** Envoy: upstream.base_retry_backoff_ms. */
const DEFAULT_BASE_MS = 25;
/** Envoy: longest wait that a rate-limit reset header may ask for. */
const DEFAULT_RESET_MAX_MS = 300_000;

export interface CompiledRetryPolicy {
  /** Bits of RETRY_ON and RETRY_GRPC_ON. */
  readonly retryOn: number;
  readonly retries: number;
  /** Milliseconds, 0 for none. */
  readonly perTryTimeout: number;
  readonly perTryIdleTimeout: number;
  readonly baseInterval: number;
  readonly maxInterval: number;
  readonly resetHeaders: readonly { name: string; format: 'SECONDS' | 'UNIX_TIMESTAMP' }[];
  readonly resetMaxInterval: number;
  readonly statusCodes: readonly number[];
  readonly responseHeaders: readonly HeaderCondition[];
  /** When there are some, a request must match one of them to be retried at all. */
  readonly requestHeaders: readonly HeaderCondition[];
  /** retry_host_predicate: avoid hosts that were tried. */
  readonly avoidPreviousHosts: boolean;
  readonly omitCanaryHosts: boolean;
  /** Metadata that a retry's host must not have (omit_host_metadata). */
  readonly hostSelectionAttempts: number;
  /** retry_priorities.previous_priorities: its update frequency, or undefined. */
  readonly previousPriorities: number | undefined;
}

const PREVIOUS_HOSTS = 'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate';
const OMIT_CANARY = 'envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate';
const PREVIOUS_PRIORITIES = 'envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig';
const typeOf = (any: unknown): string => String((any as { '@type'?: unknown } | undefined)?.['@type'] ?? '').replace(/^.*\//, '');

/** Compiles a RetryPolicy. */
export function compileRetryPolicy(json: RetryPolicyJson, path: string, problems: ProblemList): CompiledRetryPolicy {
  const http = parseRetryOn(json.retryOn ?? '', RETRY_ON);
  const grpc = parseRetryOn(json.retryOn ?? '', RETRY_GRPC_ON);
  const of = (text: string | undefined, field: string): number | undefined => jsonDuration(text, `${path}.${field}`, problems);
  const matchers = (field: 'retriableHeaders' | 'retriableRequestHeaders'): HeaderCondition[] =>
    (json[field] ?? []).map((m, i) => compileHeaderMatcher(m, `${field}[${i}]`, `${path}.${field}[${i}]`, problems));
  const base = of(json.retryBackOff?.baseInterval, 'retryBackOff.baseInterval');
  const max = of(json.retryBackOff?.maxInterval, 'retryBackOff.maxInterval');
  if (json.retryBackOff !== undefined && json.retryBackOff.baseInterval === undefined) {
    problems.invalid(`${path}.retryBackOff.baseInterval`, 'is required');
  }
  // Envoy: intervals below a millisecond count as one.
  const baseInterval = base === undefined ? DEFAULT_BASE_MS : Math.max(base, 1);
  const maxInterval = max === undefined ? baseInterval * 10 : Math.max(max, 1);
  if (maxInterval < baseInterval) problems.invalid(`${path}.retryBackOff.maxInterval`, 'must not be below the base interval');
  const hosts = hostPredicates(json, path, problems);
  if ((json.retryOptionsPredicates ?? []).length > 0) problems.unsupported(`${path}.retryOptionsPredicates`);
  return {
    retryOn: http.bits | grpc.bits,
    retries: json.numRetries ?? 1,
    perTryTimeout: of(json.perTryTimeout, 'perTryTimeout') ?? 0,
    perTryIdleTimeout: of(json.perTryIdleTimeout, 'perTryIdleTimeout') ?? 0,
    baseInterval,
    maxInterval,
    resetHeaders: (json.rateLimitedRetryBackOff?.resetHeaders ?? []).map((h) => ({
      name: (h.name ?? '').toLowerCase(),
      format: h.format ?? 'SECONDS',
    })),
    resetMaxInterval: Math.max(
      of(json.rateLimitedRetryBackOff?.maxInterval, 'rateLimitedRetryBackOff.maxInterval') ?? DEFAULT_RESET_MAX_MS,
      1,
    ),
    statusCodes: json.retriableStatusCodes ?? [],
    responseHeaders: matchers('retriableHeaders'),
    requestHeaders: matchers('retriableRequestHeaders'),
    ...hosts,
    hostSelectionAttempts: Number(json.hostSelectionRetryMaxAttempts ?? 0) || 1,
  };
}

function hostPredicates(
  json: RetryPolicyJson,
  path: string,
  problems: ProblemList,
): Pick<CompiledRetryPolicy, 'avoidPreviousHosts' | 'omitCanaryHosts' | 'previousPriorities'> {
  let avoidPreviousHosts = false;
  let omitCanaryHosts = false;
  (json.retryHostPredicate ?? []).forEach((predicate, i) => {
    const type = typeOf(predicate.typedConfig);
    // Istio names the predicate and leaves its type out; Envoy finds it by either.
    if (type === PREVIOUS_HOSTS || (type === '' && predicate.name === 'envoy.retry_host_predicates.previous_hosts'))
      avoidPreviousHosts = true;
    else if (type === OMIT_CANARY || (type === '' && predicate.name === 'envoy.retry_host_predicates.omit_canary_hosts'))
      omitCanaryHosts = true;
    else problems.unsupported(`${path}.retryHostPredicate[${i}]`, predicate.name);
  });
  const { retryPriority } = json;
  if (retryPriority === undefined) return { avoidPreviousHosts, omitCanaryHosts, previousPriorities: undefined };
  const type = typeOf(retryPriority.typedConfig);
  if (type !== PREVIOUS_PRIORITIES) problems.unsupported(`${path}.retryPriority`, retryPriority.name);
  const frequency = Number((retryPriority.typedConfig as { updateFrequency?: number } | undefined)?.updateFrequency ?? 0);
  if (frequency <= 0) problems.invalid(`${path}.retryPriority.typedConfig.updateFrequency`, 'must be above 0');
  return { avoidPreviousHosts, omitCanaryHosts, previousPriorities: frequency };
}
