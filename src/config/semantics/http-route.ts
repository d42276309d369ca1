import type { HTTPRoute } from '../kinds/networking.ts';
import { mayHaveBody } from '../may-have-body.ts';
import type { FieldPath } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import type { Report } from '../validation/report.ts';
import { checkDestination, checkRegex } from './common.ts';
import { headerValueProblem } from './header-value.ts';
import { checkHttpMatch } from './http-match.ts';
import { checkRetries } from './retries.ts';
import { checkWeights } from './weights.ts';

type Headers = NonNullable<HTTPRoute['headers']>;
type HeaderOperations = NonNullable<Headers['request']>;

/** What the VirtualService around a route decides. */
export interface RouteContext {
  /** No hosts: the routes are used by other VirtualServices. */
  delegate: boolean;
  /** Gateways only: hosts may be `*`, JWT claims may be matched. */
  gatewayOnly: boolean;
}

/** The rules of one HTTP route. */
export function checkHttpRoute(route: HTTPRoute, path: FieldPath, context: RouteContext, report: Report): void {
  checkAction(route, path, context, report);
  for (const [i, match] of (route.match ?? []).entries()) checkHttpMatch(match, [...path, 'match', i], context, report);
  checkHeaders(route.headers, [...path, 'headers'], report);
  checkAuthority(route, path, report);
  if (route.corsPolicy) checkCors(route.corsPolicy, [...path, 'corsPolicy'], report);
  if (route.fault) checkFault(route.fault, [...path, 'fault'], report);
  checkMirrors(route, path, report);
  if (route.redirect) checkRedirect(route, [...path, 'redirect'], report);
  if (route.directResponse) checkDirectResponse(route.directResponse, [...path, 'directResponse'], report);
  if (route.retries) checkRetries(route.retries, [...path, 'retries'], report);
  if (route.rewrite) checkRewrite(route.rewrite, [...path, 'rewrite'], report);
  for (const [i, { destination, headers }] of (route.route ?? []).entries()) {
    checkDestination(destination, [...path, 'route', i, 'destination'], report);
    checkHeaders(headers, [...path, 'route', i, 'headers'], report);
  }
  checkWeights(route.route, [...path, 'route'], report);
}

/** A route does one thing: it forwards, redirects, answers, or delegates. */
function checkAction(route: HTTPRoute, path: FieldPath, context: RouteContext, report: Report): void {
  const exclusive = (field: keyof HTTPRoute, other: keyof HTTPRoute): void => {
    const set = Array.isArray(route[other]) ? route[other].length > 0 : route[other] !== undefined;
    if (set) report.error([...path, other], 'semantic/exclusive', `\`${other}\` cannot be together with \`${field}\``, { atKey: true });
  };
  if (route.delegate !== undefined && !context.delegate) {
    exclusive('delegate', 'redirect');
    exclusive('delegate', 'route');
  } else {
    if (route.delegate !== undefined) {
      report.error([...path, 'delegate'], 'semantic/delegate', 'a delegate cannot delegate further', { atKey: true });
    }
    if (route.redirect !== undefined) {
      for (const other of ['route', 'fault', 'rewrite', 'directResponse'] as const) exclusive('redirect', other);
    } else if (route.directResponse !== undefined) {
      for (const other of ['route', 'fault', 'rewrite'] as const) exclusive('directResponse', other);
    } else if (route.route === undefined || route.route.length === 0) {
      report.error(path, 'semantic/no-route', 'the HTTP route goes nowhere', { hint: 'Add `route`, `redirect` or `directResponse`' });
    }
  }
  if (route.mirror !== undefined) exclusive('mirror', 'mirrors');
}

function checkHeaders(headers: Headers | undefined, path: FieldPath, report: Report): void {
  if (headers === undefined) return;
  if (headers.request) checkOperations(headers.request, [...path, 'request'], true, report);
  if (headers.response) checkOperations(headers.response, [...path, 'response'], false, report);
}

function checkOperations(operations: HeaderOperations, path: FieldPath, request: boolean, report: Report): void {
  for (const operation of ['set', 'add'] as const) {
    for (const [name, value] of Object.entries(operations[operation] ?? {})) {
      const at = [...path, operation, name];
      checkHeaderName(name, at, request, report);
      const problem = headerValueProblem(value);
      if (problem !== undefined) report.error(at, 'semantic/header', `${quote(value)} is no header value: ${problem}`);
    }
  }
  for (const [i, name] of (operations.remove ?? []).entries()) checkHeaderName(name, [...path, 'remove', i], false, report);
}

function checkHeaderName(name: string, path: FieldPath, mayBeAuthority: boolean, report: Report): void {
  if (name === '') report.error(path, 'semantic/header', 'a header name must not be empty', { atKey: true });
  else if (mayBeAuthority && (name === ':authority' || name.toLowerCase() === 'host')) return;
  else if (name.startsWith(':') || name.toLowerCase() === 'host') {
    report.error(path, 'semantic/header', `the header ${quote(name)} cannot be changed here`, { atKey: true });
  }
}

function checkAuthority(route: HTTPRoute, path: FieldPath, report: Report): void {
  const places: FieldPath[] = [];
  if (route.rewrite?.authority) places.push([...path, 'rewrite', 'authority']);
  for (const operation of ['set', 'add'] as const) {
    for (const name of Object.keys(route.headers?.request?.[operation] ?? {})) {
      if (name === ':authority' || name.toLowerCase() === 'host') places.push([...path, 'headers', 'request', operation, name]);
    }
  }
  for (const place of places.slice(1))
    report.error(place, 'semantic/authority', 'the route sets the authority more than once', { atKey: true });
}

const CORS_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', '*']);
const TOKEN = /^[-A-Za-z0-9!#$%&'*+.^_`|~]+$/;

function checkCors(cors: NonNullable<HTTPRoute['corsPolicy']>, path: FieldPath, report: Report): void {
  for (const [i, { exact, prefix, regex }] of (cors.allowOrigins ?? []).entries()) {
    if (!exact && !prefix && !regex) report.error([...path, 'allowOrigins', i], 'semantic/cors', 'an origin must not be empty');
    if (regex) checkRegex(regex, [...path, 'allowOrigins', i, 'regex'], report);
  }
  for (const [i, method] of (cors.allowMethods ?? []).entries()) {
    if (CORS_METHODS.has(method)) continue;
    const upper = method.toUpperCase();
    report.error([...path, 'allowMethods', i], 'semantic/cors', `${quote(method)} is no HTTP method`, {
      hint: CORS_METHODS.has(upper) ? `Write ${upper}` : undefined,
    });
  }
  for (const field of ['allowHeaders', 'exposeHeaders'] as const) {
    for (const [i, name] of (cors[field] ?? []).entries()) {
      if (!TOKEN.test(name)) report.error([...path, field, i], 'semantic/cors', `${quote(name)} is no header name`);
    }
  }
  if (cors.maxAge !== undefined && /\d(?:ns|us|µs|μs|ms)|\./.test(cors.maxAge)) {
    report.error([...path, 'maxAge'], 'semantic/cors', `\`maxAge\` is in whole seconds, not ${quote(cors.maxAge)}`);
  }
}

const GRPC_STATUS = new Set(
  'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'.split(
    ' ',
  ),
);

function checkFault({ abort, delay }: NonNullable<HTTPRoute['fault']>, path: FieldPath, report: Report): void {
  if (!abort && !delay) report.error(path, 'semantic/fault', 'a fault needs `delay` or `abort`', { atKey: true });
  if (abort) {
    checkPercentage(abort.percentage?.value, [...path, 'abort', 'percentage', 'value'], report);
    const { httpStatus, grpcStatus, http2Error } = abort;
    if (httpStatus !== undefined && (httpStatus < 200 || httpStatus > 600)) {
      report.error([...path, 'abort', 'httpStatus'], 'semantic/fault', `an HTTP status is 200 to 600, not ${httpStatus}`);
    }
    if (grpcStatus !== undefined && !GRPC_STATUS.has(grpcStatus)) {
      report.error([...path, 'abort', 'grpcStatus'], 'semantic/fault', `${quote(grpcStatus)} is no gRPC status`, {
        hint: 'Statuses are named like UNAVAILABLE',
      });
    }
    if (http2Error !== undefined)
      report.error([...path, 'abort', 'http2Error'], 'semantic/fault', '`http2Error` is not supported', { atKey: true });
  }
  if (delay) {
    checkPercentage(delay.percentage?.value, [...path, 'delay', 'percentage', 'value'], report);
    if (delay.exponentialDelay !== undefined) {
      report.error([...path, 'delay', 'exponentialDelay'], 'semantic/fault', '`exponentialDelay` is not supported', {
        atKey: true,
        hint: 'Use `fixedDelay`',
      });
    } else if (delay.fixedDelay === undefined) {
      report.error([...path, 'delay'], 'semantic/fault', 'a delay needs `fixedDelay`', { atKey: true });
    }
  }
}

/** Envoy's finest share is one in a million. */
function checkPercentage(value: number | undefined, path: FieldPath, report: Report): void {
  if (value === undefined || value === 0 || (value >= 0.0001 && value <= 100)) return;
  report.error(path, 'semantic/percentage', `a percentage is 0, or 0.0001 to 100, not ${value}`);
}

function checkMirrors(route: HTTPRoute, path: FieldPath, report: Report): void {
  if (route.mirror) checkDestination(route.mirror, [...path, 'mirror'], report);
  if (route.mirrorPercent !== undefined) {
    report.warning([...path, 'mirrorPercent'], 'semantic/deprecated', '`mirrorPercent` is deprecated', {
      atKey: true,
      hint: 'Use `mirrorPercentage`',
    });
    if (route.mirrorPercent > 100)
      report.error([...path, 'mirrorPercent'], 'semantic/percentage', `a percentage is 0 to 100, not ${route.mirrorPercent}`);
  }
  const value = route.mirrorPercentage?.value;
  if (value !== undefined && (value < 0 || value > 100)) {
    report.error([...path, 'mirrorPercentage', 'value'], 'semantic/percentage', `a percentage is 0 to 100, not ${value}`);
  }
  for (const [i, mirror] of (route.mirrors ?? []).entries()) {
    checkDestination(mirror.destination, [...path, 'mirrors', i, 'destination'], report);
    const share = mirror.percentage?.value;
    if (share === undefined || (share >= 0 && share <= 100)) continue;
    report.error([...path, 'mirrors', i, 'percentage', 'value'], 'semantic/percentage', `a percentage is 0 to 100, not ${share}`);
  }
}

/** Only the first broken rule is said. */
function checkRedirect(route: HTTPRoute, path: FieldPath, report: Report): void {
  const { uri, prefixRewrite, authority, port, derivePort, scheme, redirectCode } = route.redirect!;
  const error = (field: string | undefined, message: string, hint?: string): void => {
    report.error(field === undefined ? path : [...path, field], 'semantic/redirect', message, { hint });
  };
  if (uri && prefixRewrite) error('prefixRewrite', '`prefixRewrite` cannot be together with `uri`');
  else if (prefixRewrite && route.match?.some((match) => match.uri !== undefined && match.uri.prefix === undefined)) {
    error('prefixRewrite', '`prefixRewrite` needs matches by `uri.prefix`: there is no prefix to rewrite');
  } else if (!uri && !prefixRewrite && !authority && port === undefined && derivePort === undefined && !scheme) {
    error(undefined, 'the redirect changes nothing', 'Give it `uri`, `authority`, `port` or `scheme`');
  } else if (redirectCode !== undefined && redirectCode !== 0 && (redirectCode < 300 || redirectCode > 399)) {
    error('redirectCode', `a redirect answers with 3xx, not ${redirectCode}`);
  } else if (scheme && scheme !== 'http' && scheme !== 'https') {
    error('scheme', `a redirect goes to \`http\` or \`https\`, not ${quote(scheme)}`);
  }
}

const MAX_BODY = 1024 * 1024;
const LARGE_BODY = 100 * 1024;

function checkDirectResponse({ status, body }: NonNullable<HTTPRoute['directResponse']>, path: FieldPath, report: Report): void {
  if (status < 200 || status > 600)
    report.error([...path, 'status'], 'semantic/direct-response', `an HTTP status is 200 to 600, not ${status}`);
  const size =
    body?.string !== undefined ? Buffer.byteLength(body.string) : body?.bytes !== undefined ? Buffer.byteLength(body.bytes, 'base64') : 0;
  if (size > 0 && !mayHaveBody(status))
    report.warning([...path, 'body'], 'semantic/direct-response', `an answer with status ${status} has no body: this one is not sent`);
  if (size > MAX_BODY) report.error([...path, 'body'], 'semantic/direct-response', `the body has ${size} bytes, the limit is 1 MiB`);
  else if (size > LARGE_BODY)
    report.warning([...path, 'body'], 'semantic/direct-response', `the body has ${size} bytes, which is much for every proxy to hold`);
}

function checkRewrite({ uri, authority, uriRegexRewrite }: NonNullable<HTTPRoute['rewrite']>, path: FieldPath, report: Report): void {
  if (uri && uriRegexRewrite) {
    report.error([...path, 'uriRegexRewrite'], 'semantic/rewrite', '`uriRegexRewrite` cannot be together with `uri`', { atKey: true });
  } else if (!uri && !authority && !uriRegexRewrite) {
    report.error(path, 'semantic/rewrite', 'the rewrite changes nothing', {
      atKey: true,
      hint: 'Give it `uri`, `uriRegexRewrite` or `authority`',
    });
  } else if (uriRegexRewrite) {
    for (const field of ['match', 'rewrite'] as const) {
      if (uriRegexRewrite[field]) continue;
      report.error([...path, 'uriRegexRewrite'], 'semantic/rewrite', `\`uriRegexRewrite\` needs \`${field}\``, { atKey: true });
      return;
    }
    checkRegex(uriRegexRewrite.match!, [...path, 'uriRegexRewrite', 'match'], report);
  }
}
