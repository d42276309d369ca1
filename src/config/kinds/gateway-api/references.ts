/** References between the kinds of the Gateway API. */
import type { Static } from 'typebox';
import { boolean, choice, integer, list, message, string, strings } from '../schema.ts';

const portRange = { minimum: 1, maximum: 65535 };

export const ParentReference = message(
  'What a route is attached to.',
  {
    group: string('Its API group. Default: `gateway.networking.k8s.io`.'),
    kind: string('Its kind: `Gateway` (the default), or `Service` for calls within the mesh.'),
    namespace: string('Its namespace. Default: that of the route.'),
    name: string('Its name.'),
    sectionName: string('Name of the listener, or of the port of a Service. Default: all.'),
    port: integer('Number of the port. Default: all.', portRange),
  },
  { required: ['name'] },
);

export const BackendObjectReference = message(
  'A service.',
  {
    group: string('Its API group. Default: the core group.'),
    kind: string('Its kind. Default: `Service`.'),
    namespace: string('Its namespace; another one than that of the route needs a ReferenceGrant. Default: that of the route.'),
    name: string('Its name.'),
    port: integer('Number of its port. Needed for a Service.', portRange),
  },
  { required: ['name'] },
);

export const SecretObjectReference = message(
  'A Secret.',
  {
    group: string('Its API group. Default: the core group.'),
    kind: string('Its kind. Default: `Secret`.'),
    namespace: string('Its namespace; another one needs a ReferenceGrant. Default: that of the Gateway.'),
    name: string('Its name.'),
  },
  { required: ['name'] },
);

export const LocalObjectReference = message(
  'An object of the same namespace.',
  { group: string('Its API group.'), kind: string('Its kind.'), name: string('Its name.') },
  { required: ['group', 'kind', 'name'] },
);

/** Fields that all routes have. */
export const routeFields = {
  parentRefs: list(ParentReference, 'What the route is attached to: Gateways, or Services for calls within the mesh.', { maxItems: 32 }),
  hostnames: strings('Hosts that the route is for; wildcards such as `*.example.com` are allowed. Default: those of the listener.'),
  useDefaultGateways: choice(['All', 'None'], 'Attaches the route to default Gateways. Default: None.'),
};

export const backendWeight = integer('Its share, relative to the sum of all weights. Default: 1.', { minimum: 0, maximum: 1000000 });

const duration = (description: string) => string(description, { pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' });

export const SessionPersistence = message('Keeps a client with its endpoint.', {
  sessionName: string('Name of the session. Use the name of the cookie or header.', { deprecated: true }),
  type: choice(['Cookie', 'Header'], 'How the client is known again. Default: Cookie.'),
  absoluteTimeout: duration('How long a session lasts.'),
  idleTimeout: duration('How long a session lasts without requests.'),
  cookie: message('The cookie.', {
    name: string('Its name.'),
    path: string('Its path.'),
    lifetimeType: choice(['Permanent', 'Session'], 'Session, the default: until the browser closes.'),
  }),
  header: message('The header.', { name: string('Its name.') }),
});

export const GatewayApiTimeouts = message('Limits on time; `0s` means none.', {
  request: duration('How long a request may take, retries included.'),
  backendRequest: duration('How long one try may take.'),
});

export const GatewayApiRetry = message('When a failed request is sent again.', {
  codes: list(integer('A status.', { minimum: 400, maximum: 599 }), 'Statuses that count as failures.'),
  attempts: integer('How often it is sent again at most.', { minimum: 0 }),
  backoff: duration('Shortest wait before a retry.'),
});

export const CorsFilter = message('Which web pages of other origins may call (CORS).', {
  allowOrigins: strings('Origins that may call, `*` for any.'),
  allowCredentials: boolean('Whether pages may send cookies and the like.'),
  allowMethods: strings('Methods that pages may use.'),
  allowHeaders: strings('Request headers that pages may send.'),
  exposeHeaders: strings('Response headers that pages may read.'),
  maxAge: integer('How long a browser may keep the answer to a preflight, in seconds. Default: 5.', { minimum: 1 }),
});

export type ParentReference = Static<typeof ParentReference>;
export type BackendObjectReference = Static<typeof BackendObjectReference>;
