import type { Static } from 'typebox';
import { boolean, duration, int32, message, string } from '../schema.ts';

export const HTTPRetry = message('When and how often a failed request is sent again.', {
  attempts: int32(
    'How often a request is sent again at most. 0 turns retries off. Default: 0; 2 applies only where there is no `retries` at all.',
  ),
  perTryTimeout: duration('How long one try may take, the first included. Default: the timeout of the route.'),
  retryOn: string(
    "What counts as a failure: Envoy's retry conditions and status codes, joined by commas. Default: `connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes`.",
  ),
  retryRemoteLocalities: boolean('Lets retries go to other localities than the first try did. Default: false.'),
  retryIgnorePreviousHosts: boolean(
    'Sends a retry to another endpoint than the tries before. Default: true, except with consistent hashing to a single destination.',
  ),
  backoff: duration('The shortest wait before a retry; it doubles with each, with jitter, up to ten times as long. Default: 25ms.'),
});

export type HTTPRetry = Static<typeof HTTPRetry>;
