import type { JsonObject } from '@bufbuild/protobuf';
import type { SubstitutionFormatStringJson } from '#envoy-api/envoy/config/core/v3/substitution_format_string_pb.js';
import type { Problem } from '../errors.ts';
import { compileFormat } from '../routing/formatter.ts';
import { ProblemList } from '../routing/problems.ts';
import type { StreamInfo } from '../routing/stream-info.ts';
import { fromWire } from '../routing/wire-text.ts';

/** One line for one finished request, with its line feed. The text is one character a byte: write it as latin1. */
export type AccessLogFormat = (info: StreamInfo) => string;

/** Envoy's own default. */
export const ENVOY_DEFAULT_FORMAT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% ' +
  '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" ' +
  '"%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n';

/**
 * Compiles the log_format of an access logger; without one it is Envoy's default. Unknown operators are problems, and `value` is
 * undefined then.
 */
export function compileAccessLog(
  json: SubstitutionFormatStringJson | undefined,
  path = 'logFormat',
): { value: AccessLogFormat | undefined; problems: readonly Problem[] } {
  const problems = new ProblemList();
  const omit = json?.omitEmptyValues === true;
  let value: AccessLogFormat | undefined;
  if (json?.jsonFormat !== undefined) {
    const format = compileObject(json.jsonFormat, `${path}.jsonFormat`, omit, problems);
    value = (info) => `${Buffer.from(JSON.stringify(format(info)), 'utf8').toString('latin1')}\n`;
  } else {
    const source = json?.textFormatSource;
    if (source !== undefined && source.inlineString === undefined)
      problems.unsupported(`${path}.textFormatSource`, 'the format must be inline');
    const format = compileFormat(json?.textFormat ?? source?.inlineString ?? ENVOY_DEFAULT_FORMAT);
    if (typeof format === 'string') problems.invalid(`${path}.textFormat`, format);
    // Envoy: omit_empty_values turns the `-` of a text format into nothing.
    else value = (info) => format.format(info, omit ? '' : '-');
  }
  if ((json?.formatters ?? []).length > 0) problems.unsupported(`${path}.formatters`, 'formatter extensions do not run');
  return { value: problems.failed ? undefined : value, problems: problems.all };
}

type JsonFormat = (info: StreamInfo) => unknown;

function compileObject(json: JsonObject, path: string, omit: boolean, problems: ProblemList): JsonFormat {
  const fields = Object.entries(json).map(([key, value]) => [key, compileValue(value, `${path}.${key}`, omit, problems)] as const);
  // Envoy 1.40 writes the keys in order, whatever jsonFormatOptions say.
  fields.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return (info) => {
    const out: Record<string, unknown> = Object.create(null);
    for (const [key, format] of fields) {
      const value = format(info);
      if (!omit || !isEmpty(value)) out[key] = value ?? null;
    }
    return out;
  };
}

function compileValue(json: unknown, path: string, omit: boolean, problems: ProblemList): JsonFormat {
  if (Array.isArray(json)) {
    const items = json.map((item, i) => compileValue(item, `${path}[${i}]`, omit, problems));
    return (info) => items.map((item) => item(info) ?? null);
  }
  if (typeof json === 'object' && json !== null) return compileObject(json as JsonObject, path, omit, problems);
  if (typeof json !== 'string') return () => json;
  const format = compileFormat(json);
  if (typeof format === 'string') {
    problems.invalid(path, format);
    return () => null;
  }
  const { single } = format;
  // One operator alone keeps its type, and is null without a value.
  if (single !== undefined) {
    return (info) => {
      const value = single(info);
      return typeof value === 'string' ? readable(value) : (value ?? null);
    };
  }
  return (info) => readable(format.format(info, omit ? '' : '-'));
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** Bytes that are not UTF-8 show as they are in latin1. */
const readable = (wire: string): string => fromWire(wire) ?? wire;
