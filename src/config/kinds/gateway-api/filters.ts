/** What routes of the Gateway API do with requests besides sending them on. */
import type { Static } from 'typebox';
import { as, choice, integer, list, message, string, strings } from '../schema.ts';
import { BackendObjectReference, CorsFilter, LocalObjectReference } from './references.ts';

const headers = (description: string) =>
  list(message('A header.', { name: string('Its name.'), value: string('Its value.') }, { required: ['name', 'value'] }), description, {
    maxItems: 16,
  });

export const HeaderModifier = message('Changes to headers.', {
  set: headers('Headers that replace what is there.'),
  add: headers('Headers that are added to what is there.'),
  remove: strings('Names of headers to drop.', { maxItems: 16 }),
});

export const PathModifier = message(
  'A change to the path.',
  {
    type: choice(['ReplaceFullPath', 'ReplacePrefixMatch'], 'Which part is replaced.'),
    replaceFullPath: string('The new path.'),
    replacePrefixMatch: string('The new text for the matched prefix.'),
  },
  { required: ['type'] },
);

const mirror = message(
  'Sends a copy of requests to a service. Its answers are dropped.',
  {
    backendRef: BackendObjectReference,
    percent: integer('Share of requests, in percent. Default: 100.', { minimum: 0, maximum: 100 }),
    fraction: message(
      'Share of requests, as a fraction; in place of `percent`.',
      { numerator: integer('Above the line.', { minimum: 0 }), denominator: integer('Below the line. Default: 100.', { minimum: 1 }) },
      { required: ['numerator'] },
    ),
  },
  { required: ['backendRef'], oneOf: [['percent', 'fraction']] },
);

/** Filters that HTTP and gRPC routes have in common. */
const common = {
  requestHeaderModifier: as(HeaderModifier, 'Changes to headers of requests.'),
  responseHeaderModifier: as(HeaderModifier, 'Changes to headers of responses.'),
  requestMirror: mirror,
  extensionRef: as(LocalObjectReference, 'A filter of another API.'),
};

export const GRPCRouteFilter = message(
  'Something done with requests.',
  {
    type: choice(['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestMirror', 'ExtensionRef'], 'Which of the fields below it is.'),
    ...common,
  },
  { required: ['type'] },
);

export const HTTPRouteFilter = message(
  'Something done with requests.',
  {
    type: choice(
      [
        'RequestHeaderModifier',
        'ResponseHeaderModifier',
        'RequestMirror',
        'RequestRedirect',
        'URLRewrite',
        'CORS',
        'ExternalAuth',
        'ExtensionRef',
      ],
      'Which of the fields below it is.',
    ),
    ...common,
    requestRedirect: message('Answers with a redirect. What is not given stays as in the request.', {
      scheme: choice(['http', 'https'], 'The new scheme.'),
      hostname: string('The new host.'),
      path: PathModifier,
      port: integer('The new port.', { minimum: 1, maximum: 65535 }),
      statusCode: integer('The status: 301, 302 (the default), 303, 307 or 308.', { minimum: 301, maximum: 308 }),
    }),
    urlRewrite: message('Changes host and path before a request is sent on.', { hostname: string('The new host.'), path: PathModifier }),
    cors: CorsFilter,
    externalAuth: message(
      'Asks a service whether a request may pass.',
      {
        protocol: choice(['HTTP', 'GRPC'], 'How it is asked.'),
        backendRef: BackendObjectReference,
        grpc: message('Over gRPC.', { allowedHeaders: strings('Headers of the request that are sent along.') }),
        http: message('Over HTTP.', {
          path: string('Put before the path of the request.'),
          allowedHeaders: strings('Headers of the request that are sent along.'),
          allowedResponseHeaders: strings('Headers of the answer that are added to the request.'),
        }),
        forwardBody: message('Sends the body along.', { maxSize: integer('How much of it, in bytes.', { minimum: 0 }) }),
      },
      { required: ['protocol', 'backendRef'] },
    ),
  },
  { required: ['type'] },
);

export type HTTPRouteFilter = Static<typeof HTTPRouteFilter>;
export type GRPCRouteFilter = Static<typeof GRPCRouteFilter>;
