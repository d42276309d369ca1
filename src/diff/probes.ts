/** Requests at the boundaries of routes: for each condition one that just meets it, and one that just does not. */
import type {
  HeaderMatcherJson,
  QueryParameterMatcherJson,
  RouteMatchJson,
  VirtualHostJson,
} from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { StringMatcherJson } from '#envoy-api/envoy/type/matcher/v3/string_pb.js';
import type { Entry, ExplainRequest, HeaderLine } from '../explain/types.ts';
import type { ProxyView } from '../explain/view.ts';

interface Probe {
  method: string;
  path: string;
  headers: readonly HeaderLine[];
}

/** Requests that tell the routes of these virtual hosts apart, each once. What only a regular expression decides is not guessed at. */
export function probesOf(view: ProxyView, hosts: ReadonlySet<string>): ExplainRequest[] {
  const requests = new Map<string, ExplainRequest>();
  for (const config of view.routes) {
    const entry = entryOf(view, config.name ?? '');
    for (const host of config.virtualHosts ?? []) {
      if (!hosts.has(host.name ?? '')) continue;
      for (const { method, path, headers } of probesOfHost(host)) {
        const request: ExplainRequest = { method, url: `http://${authorityOf(host)}${path}`, headers, ...(entry ? { entry } : {}) };
        requests.set(JSON.stringify(request), request);
      }
    }
  }
  return [...requests.values()];
}

/** A listener whose connection manager takes its routes from this configuration; the explicit proxy is the default. */
function entryOf(view: ProxyView, routes: string): Entry | undefined {
  const listener = view.listeners.find((l) => JSON.stringify(l).includes(`"routeConfigName":${JSON.stringify(routes)}`));
  if (listener?.name === undefined || view.type !== 'router') return undefined;
  return { kind: 'listener', name: listener.name };
}

function authorityOf({ domains = [] }: VirtualHostJson): string {
  const exact = domains.find((domain) => !domain.includes('*'));
  return exact ?? (domains[0] === '*' || domains[0] === undefined ? 'any.example' : domains[0].replace('*', 'any'));
}

function probesOfHost({ routes = [] }: VirtualHostJson): Probe[] {
  const plain: Probe = { method: 'GET', path: '/', headers: [] };
  return [plain, ...routes.flatMap((route) => (route.match ? probesOfMatch(route.match) : []))];
}

function probesOfMatch(match: RouteMatchJson): Probe[] {
  const conditions = (match.headers ?? []).map(meeting);
  if (conditions.includes(undefined)) return [];
  const met = conditions as { name: string; value: string }[];
  const method = met.find((c) => c.name === ':method')?.value ?? 'GET';
  const headers = met.filter((c) => !c.name.startsWith(':')).map((c): HeaderLine => [c.name, c.value]);
  const query = (match.queryParameters ?? []).map(queryOf);
  if (query.includes(undefined)) return [];
  const suffix = query.length > 0 ? `?${query.join('&')}` : '';
  const paths = pathsOf(match);
  const probes = paths.map((path): Probe => ({ method, path: path + suffix, headers }));
  const [first] = paths;
  if (first === undefined) return probes;
  // One condition less each time.
  const without = headers.map((_, i): Probe => ({ method, path: first + suffix, headers: headers.filter((__, j) => j !== i) }));
  const other: Probe[] = method === 'GET' ? [] : [{ method: 'GET', path: first + suffix, headers }];
  return [...probes, ...without, ...other, ...(suffix === '' ? [] : [{ method, path: first, headers }])];
}

function pathsOf(match: RouteMatchJson): string[] {
  const { path, prefix, pathSeparatedPrefix, connectMatcher } = match;
  if (path !== undefined) return [path, `${path}/below`];
  if (pathSeparatedPrefix !== undefined) return [pathSeparatedPrefix, `${pathSeparatedPrefix}/below`, `${pathSeparatedPrefix}beside`];
  if (prefix !== undefined)
    return prefix === '/' ? ['/'] : [prefix, `${prefix}${prefix.endsWith('/') ? '' : '/'}below`, `${prefix.slice(0, -1) || '/'}`];
  return connectMatcher ? [] : [];
}

/** A value that a header matcher takes; undefined when it cannot be told, or when the matcher asks for an absence (then no header is sent). */
function meeting(matcher: HeaderMatcherJson): { name: string; value: string } | undefined {
  const { name = '', stringMatch, invertMatch, presentMatch } = matcher;
  if (invertMatch) return { name: ':absent', value: '' };
  if (presentMatch !== undefined) return presentMatch ? { name, value: 'any' } : { name: ':absent', value: '' };
  const value = stringMatch === undefined ? undefined : textOf(stringMatch);
  return value === undefined ? undefined : { name, value };
}

function queryOf({ name = '', stringMatch, presentMatch }: QueryParameterMatcherJson): string | undefined {
  if (presentMatch) return `${name}=any`;
  const value = stringMatch === undefined ? undefined : textOf(stringMatch);
  return value === undefined ? undefined : `${name}=${value}`;
}

function textOf({ exact, prefix, suffix, contains }: StringMatcherJson): string | undefined {
  if (exact !== undefined) return exact;
  if (prefix !== undefined) return `${prefix}x`;
  if (suffix !== undefined) return `x${suffix}`;
  return contains;
}
