/**
 * Every field of a RouteConfiguration that Fairlead refuses, with the reason that people read. Fields that are neither here
 * nor read by the compiler have no effect on what happens to a request (metadata, decorator, stat_prefix, …).
 */
import type { ProblemList } from './problems.ts';

type Message = 'RouteConfiguration' | 'VirtualHost' | 'Route' | 'RouteMatch' | 'RouteAction' | 'WeightedCluster' | 'RetryPolicy';

/** By message: a field, and why it is refused. */
export const UNSUPPORTED: Readonly<Record<Message, Readonly<Record<string, string>>>> = {
  RouteConfiguration: {
    vhds: 'virtual hosts on demand are not fetched',
    clusterSpecifierPlugins: 'plugins do not run',
  },
  VirtualHost: {
    matcher: 'matcher trees are not evaluated, use routes',
    rateLimits: 'there is no rate limit filter',
    cors: 'use typedPerFilterConfig of envoy.filters.http.cors',
    retryPolicyTypedConfig: 'use retryPolicy',
    hedgePolicy: 'requests are not hedged',
  },
  Route: {
    filterAction: 'it belongs to listener filters',
    nonForwardingAction: 'it belongs to proxyless clients',
    tracing: 'the connection manager says what is sampled',
  },
  RouteMatch: {
    pathMatchPolicy: 'path templates are not evaluated',
    filterState: 'there is no filter state',
  },
  RouteAction: {
    clusterSpecifierPlugin: 'plugins do not run',
    inlineClusterSpecifierPlugin: 'plugins do not run',
    pathRewritePolicy: 'path templates are not evaluated',
    hostRewrite: 'use hostRewriteLiteral',
    earlyDataPolicy: 'there is no HTTP/3',
    retryPolicyTypedConfig: 'use retryPolicy',
    rateLimits: 'there is no rate limit filter',
    includeVhRateLimits: 'there is no rate limit filter',
    cors: 'use typedPerFilterConfig of envoy.filters.http.cors',
    internalRedirectPolicy: 'redirects go to the client',
    internalRedirectAction: 'redirects go to the client',
    maxInternalRedirects: 'redirects go to the client',
    hedgePolicy: 'requests are not hedged',
  },
  WeightedCluster: {},
  RetryPolicy: { retryOptionsPredicates: 'predicates do not run' },
};

/** Values of the fields above that ask for nothing. */
function asksForNothing(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    value === '' ||
    value === false ||
    (Array.isArray(value) && value.length === 0) ||
    value === 'PASS_THROUGH_INTERNAL_REDIRECT'
  );
}

/** Reports the unsupported fields of one message. */
export function refuseUnsupported(message: Message, json: object, path: string, problems: ProblemList): void {
  const fields = UNSUPPORTED[message];
  for (const [field, value] of Object.entries(json)) {
    if (Object.hasOwn(fields, field) && !asksForNothing(value))
      problems.unsupported(path === '' ? field : `${path}.${field}`, fields[field]);
  }
}
