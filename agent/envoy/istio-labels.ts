import type { HttpAnswer } from '../http-client.ts';

/**
 * Envoy's stats in Prometheus' text format, with the labels that Istio's have: the tags of response codes are Envoy's own in the bootstrap
 * (`src/envoy/dump/stats-config.ts` says why).
 */
export function withIstioLabels(answer: HttpAnswer): HttpAnswer {
  const text = answer.body
    .toString('utf8')
    .replace(/(?<=[{,])envoy_response_code_class="(\d)"/g, 'response_code_class="$1xx"')
    .replace(/(?<=[{,])envoy_response_code=/g, 'response_code=');
  return { ...answer, body: Buffer.from(text) };
}

/** Whether a path of Envoy's admin API answers in Prometheus' text format. */
export function isPrometheus(path: string): boolean {
  const { pathname, searchParams } = new URL(path, 'http://envoy');
  return pathname === '/stats/prometheus' || (pathname === '/stats' && searchParams.get('format') === 'prometheus');
}
