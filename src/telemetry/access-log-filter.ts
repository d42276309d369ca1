import type { AccessLogFilterJson, ComparisonFilterJson } from '#envoy-api/envoy/config/accesslog/v3/accesslog_pb.js';
import { compileHeaderMatcher } from '../routing/header-matcher.ts';
import type { ProblemList } from '../routing/problems.ts';
import type { StreamInfo } from '../routing/stream-info.ts';

/** Whether a finished request is logged. */
export type AccessLogFilter = (info: StreamInfo) => boolean;

/**
 * Compiles Envoy's access log filters: status code, duration, header, response flags, and these joined by `and` and `or`. Others are
 * refused. Undefined when there was a problem.
 */
export function compileAccessLogFilter(json: AccessLogFilterJson, path: string, problems: ProblemList): AccessLogFilter | undefined {
  const [[kind] = [''], ...more] = Object.entries(json);
  if (kind === '' || more.length > 0) {
    problems.invalid(path, 'a filter is of one kind');
    return undefined;
  }
  const at = `${path}.${kind}`;
  if (json.andFilter) {
    const all = parts(json.andFilter.filters ?? [], at, problems);
    return (info) => all.every((f) => f(info));
  }
  if (json.orFilter) {
    const all = parts(json.orFilter.filters ?? [], at, problems);
    return (info) => all.some((f) => f(info));
  }
  if (json.statusCodeFilter) {
    const compare = comparison(json.statusCodeFilter.comparison, at, problems);
    // Envoy: without a response the code counts as 0.
    return (info) => compare(info.status ?? 0);
  }
  if (json.durationFilter) {
    const compare = comparison(json.durationFilter.comparison, at, problems);
    return (info) => info.duration !== undefined && compare(Math.floor(info.duration));
  }
  if (json.headerFilter) {
    const condition = compileHeaderMatcher(json.headerFilter.header ?? {}, at, `${at}.header`, problems);
    return ({ request = NO_HEADERS }) => condition.testHeaders(request);
  }
  if (json.responseFlagFilter) {
    const wanted = json.responseFlagFilter.flags ?? [];
    return ({ flags = '-' }) => hasFlag(flags, wanted);
  }
  problems.unsupported(at, 'this access log filter is not known');
  return undefined;
}

const NO_HEADERS = { header: () => undefined, headerValues: () => [] };

function parts(filters: readonly AccessLogFilterJson[], path: string, problems: ProblemList): AccessLogFilter[] {
  return filters.map((f, i) => compileAccessLogFilter(f, `${path}.filters[${i}]`, problems)).filter((f) => f !== undefined);
}

/** The runtime cannot be changed here: the default value counts. */
function comparison(json: ComparisonFilterJson | undefined, path: string, problems: ProblemList): (value: number) => boolean {
  const wanted = json?.value?.defaultValue ?? 0;
  switch (json?.op ?? 'EQ') {
    case 'EQ':
      return (value) => value === wanted;
    case 'GE':
      return (value) => value >= wanted;
    case 'LE':
      return (value) => value <= wanted;
    default:
      problems.unsupported(`${path}.comparison.op`, 'EQ, GE and LE are known');
      return () => false;
  }
}

/** No flags listed: any flag. */
function hasFlag(flags: string, wanted: readonly string[]): boolean {
  if (flags === '-') return false;
  return wanted.length === 0 || flags.split(',').some((flag) => wanted.includes(flag));
}
