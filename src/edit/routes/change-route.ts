/** What can be done to a route, as functions from what it was to what it is to be. Empty parts are left out. */
import type { HTTPFaultInjection, HTTPRetry, HTTPRoute } from '../../config/kinds/networking.ts';

/** A route with some fields set; undefined takes one out. Known fields keep their places. */
function withFields(route: HTTPRoute, fields: { [K in keyof HTTPRoute]?: HTTPRoute[K] | undefined }): HTTPRoute {
  const out: HTTPRoute = { ...route, ...(fields as HTTPRoute) };
  for (const [key, value] of Object.entries(fields)) if (value === undefined) delete out[key as keyof HTTPRoute];
  return out;
}

/** `duration` in Istio's notation; undefined: no limit. */
export const withTimeout = (route: HTTPRoute, duration: string | undefined): HTTPRoute => withFields(route, { timeout: duration });

/** Changes what is given of the retries and keeps the rest; undefined turns them off. Istio: without the block there are two attempts. */
export function withRetries(route: HTTPRoute, retries: Partial<HTTPRetry> | undefined): HTTPRoute {
  return withFields(route, { retries: retries === undefined ? { attempts: 0 } : { ...route.retries, ...retries } });
}

export interface MirrorTarget {
  host: string;
  subset?: string | undefined;
  /** Of the requests; undefined: all. */
  percent?: number | undefined;
}

/** One mirror in place of all there were; undefined: none. */
export function withMirror(route: HTTPRoute, mirror: MirrorTarget | undefined): HTTPRoute {
  const off = { mirror: undefined, mirrors: undefined, mirrorPercent: undefined, mirrorPercentage: undefined };
  if (mirror === undefined) return withFields(route, off);
  const { host, subset, percent } = mirror;
  const destination = { host, ...(subset ? { subset } : {}) };
  const percentage = percent === undefined ? {} : { percentage: { value: percent } };
  return withFields(route, { ...off, mirrors: [{ destination, ...percentage }] });
}

/** Replaces the delay, the abort or both; what is not given stays. */
export function withFault(route: HTTPRoute, fault: HTTPFaultInjection | undefined): HTTPRoute {
  return withFields(route, { fault: fault === undefined ? undefined : { ...route.fault, ...fault } });
}
