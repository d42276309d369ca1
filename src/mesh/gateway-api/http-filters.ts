import type { GRPCRouteFilter, HTTPRouteFilter } from '../../config/kinds/gateway-api.ts';
import type { CorsPolicy, HeaderOperations, Headers } from '../../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { HttpRule } from '../types.ts';
import { type BackendInputs, resolveBackend } from './backends.ts';
import { type Fault, fault } from './conditions.ts';
import { fullPath, replacePrefix, replaceWhole } from './path-change.ts';

/** What filters are translated with. */
export interface FilterContext extends BackendInputs {
  readonly route: Resource;
  /** The prefix that the rule matches, for those that replace it. */
  readonly prefix: string;
  /** Of the listener: what a redirect names that names no port itself. `undefined`: it is its protocol's own, which is not written. */
  readonly redirectPort: number | undefined;
  readonly faults: Fault[];
}

/** Header values are texts here, where Envoy reads `%` as the beginning of a command. */
function headerMap(list: readonly { name: string; value: string }[] | undefined): Record<string, string> | undefined {
  if (!list?.length) return undefined;
  const out = new Map<string, readonly [string, string]>();
  for (const { name, value } of list) {
    const key = name.toLowerCase();
    if (!out.has(key)) out.set(key, [name, value.replaceAll('%', '%%')]);
  }
  return Object.fromEntries(out.values());
}

interface HeaderChanges {
  set?: { name: string; value: string }[];
  add?: { name: string; value: string }[];
  remove?: string[];
}

function operations({ set, add, remove }: HeaderChanges): HeaderOperations {
  const [sets, adds] = [headerMap(set), headerMap(add)];
  return { ...(sets && { set: sets }), ...(adds && { add: adds }), ...(remove?.length && { remove }) };
}

/** The header changes among filters: all that filters of a single backend can be. */
export function headerFilters(filters: readonly (HTTPRouteFilter | GRPCRouteFilter)[] | undefined): Headers | undefined {
  const out: Headers = {};
  for (const { type, requestHeaderModifier, responseHeaderModifier } of filters ?? []) {
    if (type === 'RequestHeaderModifier' && requestHeaderModifier) out.request = operations(requestHeaderModifier);
    if (type === 'ResponseHeaderModifier' && responseHeaderModifier) out.response = operations(responseHeaderModifier);
  }
  return out.request || out.response ? out : undefined;
}

function redirectOf(
  filter: NonNullable<HTTPRouteFilter['requestRedirect']>,
  context: FilterContext,
): Pick<HttpRule, 'redirect' | 'redirectRegex'> {
  const { scheme, hostname, path, port, statusCode } = filter;
  const change = path?.type === 'ReplacePrefixMatch' ? replacePrefix(context.prefix, path.replacePrefixMatch ?? '') : undefined;
  const whole = path?.type === 'ReplaceFullPath' ? fullPath(path.replaceFullPath ?? '') : undefined;
  const wellKnown = scheme === 'https' ? 443 : scheme === 'http' ? 80 : undefined;
  // A new scheme brings its own port; without one the listener's stays.
  const wanted = port ?? (scheme === undefined ? context.redirectPort : undefined);
  return {
    redirect: {
      ...(scheme && { scheme }),
      ...(hostname && { authority: hostname }),
      ...(wanted !== undefined && wanted !== wellKnown && { port: wanted }),
      ...(whole !== undefined && { uri: whole }),
      ...(change && 'prefix' in change && { prefixRewrite: change.prefix }),
      redirectCode: statusCode ?? 302,
    },
    ...(change && 'regex' in change && { redirectRegex: { match: change.regex, rewrite: change.text } }),
  };
}

function rewriteOf({ hostname, path }: NonNullable<HTTPRouteFilter['urlRewrite']>, context: FilterContext): Pick<HttpRule, 'rewrite'> {
  const change =
    path?.type === 'ReplacePrefixMatch'
      ? replacePrefix(context.prefix, path.replacePrefixMatch ?? '')
      : path?.type === 'ReplaceFullPath'
        ? replaceWhole(path.replaceFullPath ?? '')
        : undefined;
  return {
    rewrite: {
      ...(hostname && { authority: hostname }),
      ...(change && 'prefix' in change && { uri: change.prefix }),
      ...(change && 'regex' in change && { uriRegexRewrite: { match: change.regex, rewrite: change.text } }),
    },
  };
}

const quoted = (text: string): string => text.replace(/[\\^$.+?()[\]{}|]/g, '\\$&');

/** An origin with `*` in it stands for any text there; alone it is any origin. */
function corsOf(cors: NonNullable<HTTPRouteFilter['cors']>): CorsPolicy {
  const { allowOrigins = [], allowMethods, allowHeaders, exposeHeaders, allowCredentials, maxAge = 5 } = cors;
  return {
    allowOrigins: allowOrigins.map((origin) =>
      origin.includes('*') ? { regex: origin === '*' ? '.*' : quoted(origin).replaceAll('*', '.*') } : { exact: origin },
    ),
    ...(allowMethods && { allowMethods }),
    ...(allowHeaders && { allowHeaders }),
    ...(exposeHeaders && { exposeHeaders }),
    ...(allowCredentials !== undefined && { allowCredentials }),
    maxAge: `${maxAge}s`,
    unmatchedPreflights: 'IGNORE',
  };
}

function mirrorOf(
  mirror: NonNullable<HTTPRouteFilter['requestMirror']>,
  path: FieldPath,
  context: FilterContext,
): NonNullable<HttpRule['mirrors']> {
  const backend = resolveBackend(mirror.backendRef, context.route, [...path, 'requestMirror', 'backendRef'], context);
  if ('fault' in backend) {
    context.faults.push(backend.fault);
    return [];
  }
  const { fraction, percent } = mirror;
  const value = fraction ? (100 * fraction.numerator) / (fraction.denominator ?? 100) : percent;
  return [{ destination: backend.destination, ...(value !== undefined && { percentage: { value } }) }];
}

/**
 * What a rule's filters add to it. A filter that cannot be carried out must not be skipped: the rule answers 500 then (`refused`).
 * https://gateway-api.sigs.k8s.io/reference/spec/#httproutefilter
 */
export function filterSettings(
  filters: readonly (HTTPRouteFilter | GRPCRouteFilter)[] | undefined,
  path: FieldPath,
  context: FilterContext,
): { settings: HttpRule; refused: boolean } {
  const settings: HttpRule = {};
  let refused = false;
  const headers = headerFilters(filters);
  if (headers) settings.headers = headers;
  for (const [i, filter] of (filters ?? []).entries()) {
    const at = [...path, 'filters', i];
    const { type, requestRedirect, urlRewrite, cors } = filter as HTTPRouteFilter;
    if (type === 'RequestRedirect' && requestRedirect) Object.assign(settings, redirectOf(requestRedirect, context));
    else if (type === 'URLRewrite' && urlRewrite) Object.assign(settings, rewriteOf(urlRewrite, context));
    else if (type === 'CORS' && cors) settings.corsPolicy = corsOf(cors);
    else if (type === 'RequestMirror' && filter.requestMirror)
      settings.mirrors = [...(settings.mirrors ?? []), ...mirrorOf(filter.requestMirror, at, context)];
    else if (type === 'ExternalAuth' || type === 'ExtensionRef') {
      refused = true;
      const message = `filters of type ${type} are not carried out: requests that match are answered 500`;
      context.faults.push(fault('Accepted', 'UnsupportedValue', [...at, 'type'], message));
    }
  }
  return { settings, refused };
}
