import type { GRPCRoute, HTTPRouteMatch } from '../../kinds/gateway-api.ts';
import type { FieldPath } from '../../resource.ts';
import { quote } from '../../validation/describe-value.ts';
import type { Report } from '../../validation/report.ts';
import { checkRegex } from '../common.ts';

/** RFC 9110 5.6.2. */
const TOKEN = /^[-A-Za-z0-9!#$%&'*+.^_`|~]+$/;

/** What the API's CRD refuses in a path that is compared as a text. */
const BAD_PATH: readonly (readonly [RegExp, string])[] = [
  [/^(?!\/)/, 'begin with `/`'],
  [/\/\//, 'not hold `//`'],
  [/\/\.{1,2}(?:\/|$)/, 'not hold `/./` or `/../`, nor end so'],
  [/%2f/i, 'not hold `%2f`'],
  [/[?#]/, 'not hold `?` or `#`: queries have conditions of their own'],
];

export function checkHeaderName(name: string, path: FieldPath, report: Report): void {
  if (!TOKEN.test(name)) report.error(path, 'semantic/header', `${quote(name)} is no header name`);
}

type ValueMatches = readonly { type?: string; name: string; value: string }[] | undefined;

function checkValues(list: ValueMatches, path: FieldPath, report: Report): void {
  for (const [i, { type, name, value }] of (list ?? []).entries()) {
    checkHeaderName(name, [...path, i, 'name'], report);
    if (type === 'RegularExpression') checkRegex(value, [...path, i, 'value'], report);
  }
}

/** A path that stands for itself. */
export function checkPath(path: string, at: FieldPath, report: Report): void {
  const wrong = BAD_PATH.find(([pattern]) => pattern.test(path));
  if (wrong) report.error(at, 'semantic/path', `a path must ${wrong[1]}: ${quote(path)}`);
}

/** https://gateway-api.sigs.k8s.io/reference/spec/#httproutematch */
export function checkHttpMatch({ path, headers, queryParams }: HTTPRouteMatch, at: FieldPath, report: Report): void {
  if (path?.value !== undefined) {
    if (path.type === 'RegularExpression') checkRegex(path.value, [...at, 'path', 'value'], report);
    else checkPath(path.value, [...at, 'path', 'value'], report);
  }
  checkValues(headers, [...at, 'headers'], report);
  checkValues(queryParams, [...at, 'queryParams'], report);
}

type GrpcMatch = NonNullable<NonNullable<GRPCRoute['rules']>[number]['matches']>[number];

/** https://gateway-api.sigs.k8s.io/reference/spec/#grpcroutematch */
export function checkGrpcMatch({ method, headers }: GrpcMatch, at: FieldPath, report: Report): void {
  if (method !== undefined && !method.service && !method.method)
    report.error([...at, 'method'], 'semantic/grpc-method', 'a method match needs `service` or `method`', { atKey: true });
  for (const field of ['service', 'method'] as const) {
    const text = method?.[field];
    if (!text) continue;
    const place = [...at, 'method', field];
    if (method?.type === 'RegularExpression') checkRegex(text, place, report);
    else if (text.includes('/')) report.error(place, 'semantic/grpc-method', `names of services and methods have no \`/\`: ${quote(text)}`);
  }
  checkValues(headers, [...at, 'headers'], report);
}
