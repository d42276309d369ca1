import type { GRPCRouteFilter, HTTPRouteFilter } from '../../kinds/gateway-api.ts';
import type { FieldPath } from '../../resource.ts';
import { quote } from '../../validation/describe-value.ts';
import type { Report } from '../../validation/report.ts';
import { checkHeaderName } from './matches.ts';

type Filter = HTTPRouteFilter | GRPCRouteFilter;

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
/** These may stand in a rule several times. */
const REPEATABLE: readonly string[] = ['RequestMirror', 'ExtensionRef'];

/** `RequestHeaderModifier` is in `requestHeaderModifier`, `URLRewrite` in `urlRewrite`, `CORS` in `cors`. */
const fieldOf = (type: string): string =>
  type === 'CORS' ? 'cors' : type === 'URLRewrite' ? 'urlRewrite' : type.charAt(0).toLowerCase() + type.slice(1);

/** Filters of a rule or a backend: https://gateway-api.sigs.k8s.io/reference/spec/#httproutefilter */
export function checkFilters(filters: readonly Filter[] | undefined, path: FieldPath, matchesOnePrefix: boolean, report: Report): void {
  const seen = new Set<string>();
  for (const [i, filter] of (filters ?? []).entries()) {
    const at = [...path, i];
    const { type } = filter;
    const field = fieldOf(type);
    if (!Object.hasOwn(filter, field)) report.error(at, 'semantic/filter', `a filter of type ${type} needs \`${field}\``, { atKey: true });
    for (const other of Object.keys(filter)) {
      if (other !== 'type' && other !== field)
        report.error([...at, other], 'semantic/filter', `a filter of type ${type} has no \`${other}\``, { atKey: true });
    }
    if (seen.has(type) && !REPEATABLE.includes(type))
      report.error([...at, 'type'], 'semantic/filter', `there is another filter of type ${type} already`);
    seen.add(type);
    checkFilter(filter, at, matchesOnePrefix, report);
  }
  if (seen.has('RequestRedirect') && seen.has('URLRewrite'))
    report.error(path, 'semantic/filter', 'a rule cannot both redirect and rewrite', { atKey: true });
}

function checkFilter(filter: Filter, at: FieldPath, matchesOnePrefix: boolean, report: Report): void {
  for (const field of ['requestHeaderModifier', 'responseHeaderModifier'] as const) {
    for (const list of ['set', 'add'] as const) {
      for (const [i, { name, value }] of (filter[field]?.[list] ?? []).entries()) {
        const place = [...at, field, list, i];
        checkHeaderName(name, [...place, 'name'], report);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value))
          report.error([...place, 'value'], 'semantic/header', 'the value holds a control character');
      }
    }
    for (const [i, name] of (filter[field]?.remove ?? []).entries()) checkHeaderName(name, [...at, field, 'remove', i], report);
  }
  const { requestRedirect, urlRewrite } = filter as HTTPRouteFilter;
  if (requestRedirect?.statusCode !== undefined && !REDIRECTS.includes(requestRedirect.statusCode))
    report.error(
      [...at, 'requestRedirect', 'statusCode'],
      'semantic/redirect',
      `a redirect has status ${REDIRECTS.join(', ')}, not ${requestRedirect.statusCode}`,
    );
  for (const [field, change] of [
    ['requestRedirect', requestRedirect?.path],
    ['urlRewrite', urlRewrite?.path],
  ] as const) {
    if (change === undefined) continue;
    const wanted = change.type === 'ReplacePrefixMatch' ? 'replacePrefixMatch' : 'replaceFullPath';
    const place = [...at, field, 'path'];
    if (change[wanted] === undefined) report.error(place, 'semantic/path', `\`type: ${change.type}\` needs \`${wanted}\``, { atKey: true });
    if (wanted === 'replacePrefixMatch' && !matchesOnePrefix)
      report.error([...place, 'type'], 'semantic/path', 'ReplacePrefixMatch is for rules with one match, of a prefix');
    const text = change[wanted] ?? '';
    if (/[?#]/.test(text)) report.error([...place, wanted], 'semantic/path', `a path has no \`?\` or \`#\`: ${quote(text)}`);
  }
}
