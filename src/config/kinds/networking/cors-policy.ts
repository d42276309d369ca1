import type { Static } from 'typebox';
import { boolean, choice, duration, list, message, strings } from '../schema.ts';
import { StringMatch } from './string-match.ts';

export const CorsPolicy = message('Which web pages of other origins may call, and how (CORS).', {
  allowOrigin: strings('Exact origins, `*` for any. Use `allowOrigins`.', { deprecated: true }),
  allowOrigins: list(StringMatch, 'Origins that may call. A matching one is echoed in Access-Control-Allow-Origin.'),
  allowMethods: strings('Methods for Access-Control-Allow-Methods. They are announced, not enforced.'),
  allowHeaders: strings('Request headers for Access-Control-Allow-Headers. They are announced, not enforced.'),
  exposeHeaders: strings('Response headers that pages may read: Access-Control-Expose-Headers.'),
  maxAge: duration('How long a browser may keep the answer to a preflight, in whole seconds: Access-Control-Max-Age.'),
  allowCredentials: boolean('Whether pages may send cookies and the like: Access-Control-Allow-Credentials.'),
  unmatchedPreflights: choice(
    ['UNSPECIFIED', 'FORWARD', 'IGNORE'],
    'What becomes of a preflight from an origin that is not allowed: FORWARD sends it to the service (as does UNSPECIFIED, the default), IGNORE answers 200 without CORS headers.',
  ),
});

export type CorsPolicy = Static<typeof CorsPolicy>;
