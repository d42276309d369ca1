import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { choice, list, message, string } from '../schema.ts';
import { HTTPRouteFilter } from './filters.ts';
import {
  BackendObjectReference,
  backendWeight,
  GatewayApiRetry,
  GatewayApiTimeouts,
  routeFields,
  SessionPersistence,
} from './references.ts';

const valueMatch = (what: string) =>
  message(
    `A condition on a ${what}.`,
    {
      type: choice(['Exact', 'RegularExpression'], 'How it is compared. Default: Exact.'),
      name: string('Its name.'),
      value: string('The value.'),
    },
    { required: ['name', 'value'] },
  );

export const HTTPBackendRef = message(
  'One of the services that requests are shared between.',
  {
    ...BackendObjectReference.properties,
    weight: backendWeight,
    filters: list(HTTPRouteFilter, 'Done with requests to this service only.'),
  },
  { required: ['name'] },
);

export const HTTPRouteMatch = message('Conditions on a request; all of them must hold.', {
  path: message('The path.', {
    type: choice(['Exact', 'PathPrefix', 'RegularExpression'], 'How it is compared: PathPrefix, the default, by whole segments.'),
    value: string('The path. Default: `/`.'),
  }),
  headers: list(valueMatch('header'), 'Headers.', { maxItems: 16 }),
  queryParams: list(valueMatch('query parameter'), 'Query parameters.', { maxItems: 16 }),
  method: choice(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'], 'The method.'),
});

export const HTTPRouteRule = message('A rule for HTTP requests.', {
  name: string('Its name.'),
  matches: list(HTTPRouteMatch, 'The rule is for requests that meet any of these. Default: all.', { maxItems: 64 }),
  filters: list(HTTPRouteFilter, 'Done with requests.', { maxItems: 16 }),
  backendRefs: list(HTTPBackendRef, 'Services that requests are shared between by weight.', { maxItems: 16 }),
  timeouts: GatewayApiTimeouts,
  retry: GatewayApiRetry,
  sessionPersistence: SessionPersistence,
});

export const HTTPRoute = message('How HTTP requests to some hosts are routed.', {
  ...routeFields,
  rules: list(HTTPRouteRule, 'Rules; the most specific match is used.', { maxItems: 16 }),
});

export type HTTPRouteMatch = Static<typeof HTTPRouteMatch>;
export type HTTPRouteRule = Static<typeof HTTPRouteRule>;
export type HTTPRoute = Static<typeof HTTPRoute>;

export const httpRoute = defineKind({
  kind: 'HTTPRoute',
  group: 'gateway.networking.k8s.io',
  versions: ['v1', 'v1beta1'],
  plural: 'httproutes',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Routes HTTP requests, as the Gateway API writes it.',
  payload: 'spec',
  schema: HTTPRoute,
  unknownFields: 'refuse',
});
