import type { HTTPRetry } from '../kinds/networking.ts';
import type { FieldPath } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import type { Report } from '../validation/report.ts';
import { nearest } from '../validation/suggest.ts';

/** Envoy: x-envoy-retry-on and x-envoy-retry-grpc-on. */
const CONDITIONS = new Set([
  ...[
    '5xx',
    'gateway-error',
    'reset',
    'reset-before-request',
    'connect-failure',
    'retriable-4xx',
    'refused-stream',
    'retriable-status-codes',
  ],
  ...['retriable-headers', 'envoy-ratelimited', 'http3-post-connect-failure'],
  ...['cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable'],
]);

/** IANA's registry of HTTP status codes, as ranges. */
const STATUSES = [
  [100, 103],
  [200, 208],
  [226, 226],
  [300, 305],
  [307, 308],
  [400, 418],
  [421, 426],
  [428, 429],
  [431, 431],
  [451, 451],
  [500, 508],
  [510, 511],
];

export function checkRetries(retries: HTTPRetry, path: FieldPath, report: Report): void {
  const { attempts } = retries;
  if (attempts !== undefined && attempts < 0) {
    report.error([...path, 'attempts'], 'semantic/retries', `\`attempts\` must not be negative: ${attempts}`);
  }
  if (attempts === 0) {
    for (const field of ['perTryTimeout', 'retryOn', 'retryRemoteLocalities'] as const) {
      if (retries[field] === undefined || retries[field] === '' || retries[field] === false) continue;
      report.error([...path, field], 'semantic/retries', `\`${field}\` means nothing with \`attempts: 0\``, { atKey: true });
    }
  }
  for (const condition of retries.retryOn ? retries.retryOn.split(',') : []) {
    if (CONDITIONS.has(condition) || isStatus(condition)) continue;
    const trimmed = condition.trim();
    const similar = trimmed !== condition && (CONDITIONS.has(trimmed) || isStatus(trimmed)) ? undefined : nearest(condition, CONDITIONS);
    const hint =
      trimmed !== condition
        ? 'Leave out the spaces'
        : similar === undefined
          ? `Conditions are status codes and ${[...CONDITIONS].join(', ')}`
          : `Did you mean ${similar}?`;
    report.error([...path, 'retryOn'], 'semantic/retries', `${quote(condition)} is no retry condition`, { hint });
  }
}

function isStatus(text: string): boolean {
  if (!/^[1-5]\d\d$/.test(text)) return false;
  const code = Number(text);
  return STATUSES.some(([first, last]) => code >= first! && code <= last!);
}
