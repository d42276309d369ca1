import type { RedirectActionJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { ProblemList } from './problems.ts';
import { type RouteRequest, withoutQuery } from './request.ts';
import { compileRegexRewrite, type PathRewrite, prefixRewrite, regexPathRewrite } from './rewrite.ts';
import type { RedirectDecision } from './types.ts';
import { toWire } from './wire-text.ts';

export interface CompiledRedirect {
  readonly httpsRedirect: boolean;
  readonly scheme: string;
  readonly host: string;
  /** `:8443`, or empty. */
  readonly port: string;
  readonly path: string;
  readonly pathRewrite: PathRewrite | undefined;
  readonly stripQuery: boolean;
}

const statuses = { MOVED_PERMANENTLY: 301, FOUND: 302, SEE_OTHER: 303, TEMPORARY_REDIRECT: 307, PERMANENT_REDIRECT: 308 } as const;

/** A RedirectAction and its status. */
export function compileRedirect(
  json: RedirectActionJson,
  path: string,
  problems: ProblemList,
): { status: number; redirect: CompiledRedirect } {
  let pathRewrite: PathRewrite | undefined;
  if ((json.prefixRewrite ?? '') !== '') pathRewrite = prefixRewrite(json.prefixRewrite!);
  else if (json.regexRewrite !== undefined) {
    const rewrite = compileRegexRewrite(json.regexRewrite, `${path}.regexRewrite`, problems);
    pathRewrite = rewrite === undefined ? undefined : regexPathRewrite(rewrite);
  }
  return {
    status: statuses[json.responseCode ?? 'MOVED_PERMANENTLY'],
    redirect: {
      httpsRedirect: json.httpsRedirect === true,
      scheme: json.schemeRedirect ?? '',
      host: toWire(json.hostRedirect ?? ''),
      port: json.portRedirect === undefined || json.portRedirect === 0 ? '' : `:${json.portRedirect}`,
      path: toWire(json.pathRedirect ?? ''),
      pathRewrite,
      stripQuery: json.stripQuery === true,
    },
  };
}

/** The Location of a redirect: Envoy's Http::Utility::newUri, and its plain https form for require_tls. */
export function redirectLocation(decision: RedirectDecision, request: RouteRequest): string {
  const { redirect } = decision;
  if (redirect === 'tls') return `https://${request.authority}${request.path}`;
  // The scheme that the client asked for, whatever the connection is.
  const from = request.scheme;
  const scheme = redirect.scheme !== '' ? redirect.scheme : redirect.httpsRedirect ? 'https' : from;
  const host = redirect.host !== '' ? redirect.host : hostFor(request.authority, scheme, from, redirect.port !== '');
  const path = pathFor(redirect, request, decision);
  return `${scheme}://${host}${redirect.port}${path.startsWith('/') ? '' : '/'}${path}`;
}

/**
 * The Location of a direct response: Envoy's router gives 201 and every 3xx one, which is the request's own URL as nothing redirects it.
 * undefined with other statuses.
 */
export function directResponseLocation(status: number, { scheme, authority, path }: RouteRequest): string | undefined {
  return status === 201 || (status >= 300 && status < 400) ? `${scheme}://${authority}${path}` : undefined;
}

/** The request's host; without its port when another is given, or when it was the default of a scheme that changes. */
function hostFor(authority: string, scheme: string, from: string, portGiven: boolean): string {
  const colon = authority.startsWith('[') ? authority.lastIndexOf(']:') + 1 : authority.lastIndexOf(':');
  if (colon <= 0) return authority;
  const port = authority.slice(colon);
  const wasDefault = (from === 'https' && port === ':443') || (from === 'http' && port === ':80');
  return portGiven || (scheme !== from && wasDefault) ? authority.slice(0, colon) : authority;
}

function pathFor(redirect: CompiledRedirect, request: RouteRequest, decision: RedirectDecision): string {
  if (redirect.path !== '') {
    // A query of its own wins over the request's and is never stripped.
    if (redirect.path.includes('?') || redirect.stripQuery) return redirect.path;
    const query = request.path.indexOf('?');
    return query < 0 ? redirect.path : redirect.path + request.path.slice(query);
  }
  const { route } = decision;
  const path =
    redirect.pathRewrite === undefined || route === undefined ? request.path : redirect.pathRewrite(request.path, route.path, request);
  return redirect.stripQuery ? withoutQuery(path) : path;
}
