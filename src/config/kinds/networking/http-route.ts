import type { Static } from 'typebox';
import { as, choice, duration, int32, list, message, port, string, uint32 } from '../schema.ts';
import { CorsPolicy } from './cors-policy.ts';
import { Destination } from './destination.ts';
import { Headers } from './headers.ts';
import { HTTPFaultInjection, Percent } from './http-fault.ts';
import { HTTPMatchRequest } from './http-match.ts';
import { HTTPRetry } from './http-retry.ts';

export const HTTPRouteDestination = message(
  'One of the services that requests are shared between.',
  {
    destination: Destination,
    weight: int32('Its share, relative to the sum of all weights. May be left out for a single destination.', { minimum: 0 }),
    headers: as(Headers, 'Header changes for this destination only.'),
  },
  { required: ['destination'] },
);

export const HTTPRedirect = message(
  'Answers with a redirect. What is not given stays as in the request.',
  {
    uri: string('The new path, in place of the whole one.'),
    prefixRewrite: string('The new text for the part of the path that a prefix match found.'),
    authority: string('The new host.'),
    port: port('The new port.'),
    derivePort: choice(
      ['FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT'],
      'Where the new port comes from: 80 or 443 by scheme, or the port that the request came in by.',
    ),
    scheme: string('The new scheme: `http` or `https`.'),
    redirectCode: uint32('The status: 301, 302, 303, 307 or 308. Default: 301.'),
  },
  { oneOf: [['port', 'derivePort']] },
);

export const HTTPBody = message(
  'The body of a response.',
  { string: string('As text.'), bytes: string('As base64.') },
  { oneOf: [['string', 'bytes']] },
);

export const HTTPDirectResponse = message(
  'Answers at once, without any service.',
  { status: uint32('The HTTP status: 200 to 600.'), body: as(HTTPBody, 'The body, up to 1 MiB. Default: none.') },
  { required: ['status'] },
);

export const Delegate = message('Another VirtualService, without hosts, whose HTTP routes are put in this place.', {
  name: string('Its name.'),
  namespace: string('Its namespace. Default: the one of this VirtualService.'),
});

export const RegexRewrite = message('Rewrites a path by an RE2 expression.', {
  match: string('The RE2 expression, looked for anywhere in the path.'),
  rewrite: string('The text for each find; `\\1` to `\\9` stand for its groups.'),
});

export const HTTPRewrite = message('Changes path and host before a request is sent on.', {
  uri: string('The new text for the matched part of the path: the prefix, or else the whole path.'),
  authority: string('The new Host header.'),
  uriRegexRewrite: as(RegexRewrite, 'Changes the path by an RE2 expression; not together with `uri`.'),
});

export const HTTPMirrorPolicy = message(
  'A service that gets a copy of requests. Its answers are dropped.',
  { destination: Destination, percentage: as(Percent, 'Share of requests that are copied. Default: all.') },
  { required: ['destination'] },
);

export const HTTPRoute = message('A rule for HTTP requests: conditions, and what is done with the requests that meet them.', {
  name: string('A name for logs and statistics.'),
  match: list(HTTPMatchRequest, 'The rule is for requests that meet any of these. Default: every request.'),
  route: list(HTTPRouteDestination, 'Services that requests are shared between by weight.'),
  redirect: as(HTTPRedirect, 'Answers with a redirect; not together with `route` or `directResponse`.'),
  directResponse: as(HTTPDirectResponse, 'Answers at once; not together with `route` or `redirect`.'),
  delegate: as(Delegate, 'Hands the requests to the routes of another VirtualService; not together with `route` or `redirect`.'),
  rewrite: HTTPRewrite,
  timeout: duration('How long a request may take, retries included. Default: no limit.'),
  retries: HTTPRetry,
  fault: HTTPFaultInjection,
  mirror: as(Destination, 'A service that gets a copy of requests; see `mirrors` for several.'),
  mirrors: list(HTTPMirrorPolicy, 'Services that get a copy of requests; not together with `mirror`.'),
  mirrorPercent: uint32('Share of requests copied to `mirror`, in whole percent. Use `mirrorPercentage`.', { deprecated: true }),
  mirrorPercentage: as(Percent, 'Share of requests copied to `mirror`. Default: all.'),
  corsPolicy: CorsPolicy,
  headers: as(Headers, 'Header changes for all destinations.'),
});

export type HTTPRouteDestination = Static<typeof HTTPRouteDestination>;
export type HTTPRedirect = Static<typeof HTTPRedirect>;
export type HTTPDirectResponse = Static<typeof HTTPDirectResponse>;
export type Delegate = Static<typeof Delegate>;
export type HTTPRewrite = Static<typeof HTTPRewrite>;
export type HTTPMirrorPolicy = Static<typeof HTTPMirrorPolicy>;
export type HTTPRoute = Static<typeof HTTPRoute>;
