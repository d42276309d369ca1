import type { Static } from 'typebox';
import { boolean, duration, int32, list, message, uint32 } from '../schema.ts';

export const OutlierDetection = message('Takes endpoints that fail out of the pool for a while.', {
  consecutiveErrors: int32('Use `consecutive5xxErrors` or `consecutiveGatewayErrors`.', { deprecated: true }),
  splitExternalLocalOriginErrors: boolean('Counts failures to connect apart from errors that the endpoint answers. Default: false.'),
  consecutiveLocalOriginFailures: uint32(
    'Failures to connect in a row that eject an endpoint; only with `splitExternalLocalOriginErrors`. Default: 5.',
  ),
  consecutiveGatewayErrors: uint32('Answers 502, 503 and 504 in a row that eject an endpoint; 0 turns this off. Default: off.'),
  consecutive5xxErrors: uint32('Answers 5xx in a row that eject an endpoint; for TCP, failed connections. 0 turns this off. Default: 5.'),
  interval: duration('Time between two looks at the endpoints. Default: 10s.'),
  baseEjectionTime: duration('How long an endpoint stays out, times the number of its ejections. Default: 30s.'),
  maxEjectionPercent: int32('Share of the endpoints that may be out at once, in percent; one always may. Default: 10.', {
    minimum: 0,
    maximum: 100,
  }),
  minHealthPercent: int32('Below this share of healthy endpoints, in percent, ejections are ignored and all get requests. Default: 0.', {
    minimum: 0,
    maximum: 100,
  }),
  outlierDetectionHttpErrorCodes: list(
    uint32('An HTTP status.', { minimum: 100, maximum: 599 }),
    'Statuses that count as errors, in place of 5xx.',
  ),
});

export type OutlierDetection = Static<typeof OutlierDetection>;
