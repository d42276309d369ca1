import type { CustomTagJson } from '#envoy-api/envoy/type/tracing/v3/custom_tag_pb.js';
import { compileFormat } from '../../../src/routing/formatter.ts';
import type { ProblemList } from '../../../src/routing/problems.ts';
import type { StreamInfo } from '../../../src/routing/stream-info.ts';
import { fromWire } from '../../../src/routing/wire-text.ts';

export interface CustomTag {
  readonly tag: string;
  /** Undefined: no such tag. */
  value(info: StreamInfo): string | undefined;
}

/** Tags by literal, environment, header and format; others are refused. */
export function compileCustomTags(tags: readonly CustomTagJson[], path: string, problems: ProblemList): CustomTag[] {
  return tags.flatMap((json, i) => {
    const value = compile(json, `${path}[${i}]`, problems);
    return value === undefined ? [] : [{ tag: json.tag ?? '', value }];
  });
}

const some = (value: string | undefined): string | undefined => (value === '' ? undefined : value);
const shown = (wire: string): string => fromWire(wire) ?? wire;

function compile(json: CustomTagJson, path: string, problems: ProblemList): CustomTag['value'] | undefined {
  if (json.literal) {
    const { value } = json.literal;
    return () => some(value);
  }
  if (json.environment) {
    const { name = '', defaultValue } = json.environment;
    const value = some(process.env[name] ?? defaultValue);
    return () => value;
  }
  if (json.requestHeader) {
    const { name = '', defaultValue } = json.requestHeader;
    const key = name.toLowerCase();
    return ({ request }) => {
      const found = request?.headerValues(key)[0];
      return found === undefined ? some(defaultValue) : shown(found);
    };
  }
  if (json.value !== undefined) {
    const format = compileFormat(json.value);
    if (typeof format !== 'string') return (info) => some(shown(format.format(info, '')));
    problems.invalid(`${path}.value`, format);
    return undefined;
  }
  problems.unsupported(path, 'tags are made of literals, the environment, headers and formats');
  return undefined;
}
