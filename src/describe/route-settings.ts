import type { RouteJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { parseDuration } from '../config/duration.ts';
import { clusterText } from '../explain/cluster-text.ts';
import { shownDuration } from '../explain/duration.ts';

type Setting = readonly [word: string, text: string];

interface FaultJson {
  delay?: { fixedDelay?: string; percentage?: FractionJson };
  abort?: { httpStatus?: number; grpcStatus?: number; percentage?: FractionJson };
}

interface FractionJson {
  numerator?: number;
  denominator?: string | number;
}

const DENOMINATORS: Readonly<Record<string, number>> = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 };

const share = (fraction: FractionJson | undefined): string => {
  const of = DENOMINATORS[String(fraction?.denominator ?? 'HUNDRED')] ?? 100;
  const percent = Math.round((10_000 * 100 * (fraction?.numerator ?? 0)) / of) / 10_000;
  return percent === 100 ? '' : ` for ${percent} %`;
};

/** What Istio gives to routes that say nothing of retries: 2 of them. */
const USUAL_RETRIES = 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes';

/** Milliseconds as people write them; Envoy's own text where it is none. */
const duration = (text: string): string => {
  const ms = parseDuration(text);
  return ms === undefined ? text : shownDuration(ms);
};

/** What a route does besides sending requests somewhere: pairs of a word and a text. What is usual is left out. */
export function routeSettings(json: RouteJson): Setting[] {
  const { route } = json;
  const out: Setting[] = [];
  const fault = json.typedPerFilterConfig?.['envoy.filters.http.fault'] as FaultJson | undefined;
  if (fault?.delay) out.push(['delay', `${duration(fault.delay.fixedDelay ?? '0s')}${share(fault.delay.percentage)}`]);
  if (fault?.abort) {
    const { httpStatus, grpcStatus, percentage } = fault.abort;
    out.push(['abort', `${httpStatus === undefined ? `gRPC ${grpcStatus}` : httpStatus}${share(percentage)}`]);
  }
  if (route === undefined) return out;
  const rewrite = [
    route.prefixRewrite && `prefix to ${route.prefixRewrite}`,
    route.regexRewrite && `path to ${route.regexRewrite.substitution}`,
    route.hostRewriteLiteral && `host to ${route.hostRewriteLiteral}`,
  ].filter((part) => Boolean(part));
  if (rewrite.length > 0) out.push(['rewrite', rewrite.join(', ')]);
  if (route.timeout !== undefined && route.timeout !== '0s') out.push(['timeout', duration(route.timeout)]);
  const retry = route.retryPolicy;
  if (retry?.retryOn && !(retry.retryOn === USUAL_RETRIES && retry.numRetries === 2)) {
    const perTry = retry.perTryTimeout && retry.perTryTimeout !== '0s' ? `, ${duration(retry.perTryTimeout)} each` : '';
    const codes = retry.retriableStatusCodes?.length ? ` (${retry.retriableStatusCodes.join(', ')})` : '';
    out.push(['retries', `up to ${retry.numRetries ?? 1}${perTry}, on ${retry.retryOn.replaceAll(',', ', ')}${codes}`]);
  }
  for (const mirror of route.requestMirrorPolicies ?? [])
    out.push([
      'mirror',
      `${clusterText(mirror.cluster ?? '')}${mirror.runtimeFraction === undefined ? '' : share(mirror.runtimeFraction.defaultValue as FractionJson | undefined)}`,
    ]);
  const hashed = (route.hashPolicy ?? []).flatMap(
    (h) => h.header?.headerName ?? h.cookie?.name ?? h.queryParameter?.name ?? 'source address',
  );
  if (hashed.length > 0) out.push(['hash', `by ${hashed.join(', ')}`]);
  const added = (json.requestHeadersToAdd ?? []).map((h) => `${h.header?.key}: ${h.header?.value}`);
  const removed = (json.requestHeadersToRemove ?? []).map((h) => `without ${h}`);
  if (added.length + removed.length > 0) out.push(['headers', [...added, ...removed].join(', ')]);
  const answers = [
    ...(json.responseHeadersToAdd ?? []).map((h) => `${h.header?.key}: ${h.header?.value}`),
    ...(json.responseHeadersToRemove ?? []).map((h) => `without ${h}`),
  ];
  if (answers.length > 0) out.push(['answer gets', answers.join(', ')]);
  if (json.typedPerFilterConfig?.['envoy.filters.http.cors']) out.push(['cors', 'preflights are answered here']);
  return out;
}
