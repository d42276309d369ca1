import type { Static } from 'typebox';
import { as, double, duration, int32, message, string } from '../schema.ts';

/** A share of requests; a message of its own so that 0 differs from nothing said. */
export const Percent = message('A share of requests.', {
  value: double('Percent, fractions down to 0.0001 included.', { minimum: 0, maximum: 100 }),
});

export const Delay = message(
  'Requests wait before they are sent on, as on a slow network.',
  {
    percent: int32('Share of requests in whole percent. Use `percentage`.', { deprecated: true }),
    fixedDelay: duration('How long a request waits.'),
    exponentialDelay: duration('Not supported by the proxy; refused.'),
    percentage: as(Percent, 'Share of requests. Default: none.'),
  },
  { oneOf: [['fixedDelay', 'exponentialDelay']] },
);

export const Abort = message(
  'Requests are answered with an error instead of being sent on.',
  {
    httpStatus: int32('The HTTP status of the answer: 200 to 600.'),
    grpcStatus: string('The gRPC status of the answer, by name: `UNAVAILABLE`, …'),
    http2Error: string('Not supported by the proxy; refused.'),
    percentage: as(Percent, 'Share of requests. Default: none.'),
  },
  { oneOf: [['httpStatus', 'grpcStatus', 'http2Error']] },
);

export const HTTPFaultInjection = message('Faults to try out how clients bear them: delays, errors, or both.', {
  delay: Delay,
  abort: Abort,
});

export type Percent = Static<typeof Percent>;
export type HTTPFaultInjection = Static<typeof HTTPFaultInjection>;
