import type { DirectResponseActionJson, RedirectActionJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { HTTPDirectResponse, HTTPRedirect } from '../../config/kinds/networking.ts';
import { mayHaveBody } from '../../config/may-have-body.ts';
import type { HttpRule } from '../../mesh/types.ts';

const codes: ReadonlyMap<number, RedirectActionJson['responseCode']> = new Map([
  [0, 'MOVED_PERMANENTLY'],
  [301, 'MOVED_PERMANENTLY'],
  [302, 'FOUND'],
  [303, 'SEE_OTHER'],
  [307, 'TEMPORARY_REDIRECT'],
  [308, 'PERMANENT_REDIRECT'],
]);

function portOf(redirect: HTTPRedirect, listenPort: number): number | undefined {
  const { scheme, port } = redirect;
  if (redirect.derivePort === 'FROM_REQUEST_PORT') return listenPort;
  if (!port || (port === 80 && scheme === 'http') || (port === 443 && scheme === 'https')) return undefined;
  return port;
}

function pathOf(redirect: HTTPRedirect, regex: HttpRule['redirectRegex']): Partial<RedirectActionJson> {
  if (regex) return { regexRewrite: { pattern: { regex: regex.match ?? '' }, substitution: regex.rewrite ?? '' } };
  return redirect.prefixRewrite ? { prefixRewrite: redirect.prefixRewrite } : { pathRedirect: redirect.uri ?? '' };
}

/** Envoy's redirect; undefined for a status that Envoy has no redirect with. */
export function redirectAction(
  redirect: HTTPRedirect,
  listenPort: number,
  regex?: HttpRule['redirectRegex'],
): RedirectActionJson | undefined {
  const responseCode = codes.get(redirect.redirectCode ?? 0);
  if (responseCode === undefined) return undefined;
  const portRedirect = portOf(redirect, listenPort);
  return {
    ...(redirect.authority && { hostRedirect: redirect.authority }),
    ...(redirect.scheme && { schemeRedirect: redirect.scheme }),
    ...(portRedirect !== undefined && { portRedirect }),
    ...pathOf(redirect, regex),
    ...(responseCode !== 'MOVED_PERMANENTLY' && { responseCode }),
  };
}

/**
 * Envoy's direct response; a body is text, or base64 when given as bytes. Left out where none may be: Envoy writes it all the same, and an
 * HTTP/1.1 client takes it for the beginning of its next answer.
 */
export function directResponseAction(response: HTTPDirectResponse): DirectResponseActionJson {
  const { body, status } = response;
  if (!mayHaveBody(status)) return { status };
  if (body?.string !== undefined) return { status, body: { inlineString: body.string } };
  if (body?.bytes !== undefined) return { status, body: { inlineBytes: body.bytes } };
  return { status };
}
