import type { ProblemList } from '../routing/problems.ts';
import { compileRegex } from '../routing/regex.ts';
import { type InputTest, never } from './input-test.ts';

const TYPE = 'type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig';
/** What one segment may hold (RFC 3986, pchar without `*`). */
const LITERAL = "a-zA-Z0-9\\-._~%!$&'()+,;:@=";
const SEGMENT = `[${LITERAL}]+`;
const REST = `[${LITERAL}/]*`;
const LARGEST_NAME = 16;
const MOST_VARIABLES = 5;

/**
 * Compiles a `uri_template` permission: `*` is one segment, `**` any number of them, `{name}` or `{name=pattern}` a named part. Envoy:
 * URI template match, https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/path/match/uri_template/v3/uri_template_match.proto
 */
export function compileUriTemplate(config: unknown, path: string, problems: ProblemList): InputTest {
  const { '@type': type, pathTemplate = '' } = (config ?? {}) as { '@type'?: string; pathTemplate?: string };
  if (type !== TYPE) {
    problems.unsupported(`${path}.typedConfig`, `${type ?? 'no type'} is no URI template`);
    return never;
  }
  const pattern = templateRegex(pathTemplate);
  if ('error' in pattern) {
    problems.invalid(`${path}.typedConfig.pathTemplate`, `${JSON.stringify(pathTemplate)} is no URI template: ${pattern.error}`);
    return never;
  }
  const regex = compileRegex(pattern.regex);
  if (typeof regex === 'string') {
    problems.invalid(`${path}.typedConfig.pathTemplate`, regex);
    return never;
  }
  return ({ request }) => request !== undefined && regex.fullMatch(request.pathOnly);
}

/** A template as a regular expression over whole paths. */
function templateRegex(template: string): { regex: string } | { error: string } {
  if (!template.startsWith('/')) return { error: 'it does not begin with a slash' };
  let regex = '';
  let rest = template;
  let ended = false;
  const names = new Set<string>();
  while (rest !== '') {
    const one = /^(?:(\/)|(\*\*)|(\*)|\{([^{}]*)\}|([^/*{}]+))/.exec(rest);
    if (one === null) return { error: `${JSON.stringify(rest)} has unbalanced braces` };
    const [text, slash, many, star, variable, literal] = one;
    rest = rest.slice(text.length);
    if (ended && slash === undefined && literal === undefined) return { error: 'there is another pattern behind **' };
    if (slash !== undefined) {
      if (rest.startsWith('/')) return { error: 'it has an empty segment' };
      regex += '/';
    } else if (many !== undefined) {
      regex += REST;
      ended = true;
    } else if (star !== undefined) regex += SEGMENT;
    else if (literal !== undefined) {
      if (!new RegExp(`^[${LITERAL}]+$`).test(literal)) return { error: `${JSON.stringify(literal)} has a character that no path has` };
      regex += escapeRegex(literal);
    } else {
      const [name = '', pattern = '*'] = splitOnce(variable!, '=');
      if (!/^[a-zA-Z][a-zA-Z0-9_]*$/.test(name) || name.length > LARGEST_NAME) return { error: `${JSON.stringify(name)} is no name` };
      if (names.has(name)) return { error: `${name} is there twice` };
      names.add(name);
      if (names.size > MOST_VARIABLES) return { error: `it has more than ${MOST_VARIABLES} names` };
      const part = variablePattern(pattern);
      if (part === undefined) return { error: `${JSON.stringify(pattern)} is no pattern` };
      regex += part;
      ended = pattern.endsWith('**');
    }
  }
  return { regex };
}

function variablePattern(pattern: string): string | undefined {
  if (pattern === '' || pattern.startsWith('/')) return undefined;
  const parts = pattern.split('/');
  const out: string[] = [];
  for (const [i, part] of parts.entries()) {
    if (part === '**' && i === parts.length - 1) out.push(REST);
    else if (part === '*') out.push(SEGMENT);
    else if (part !== '' && new RegExp(`^[${LITERAL}]+$`).test(part)) out.push(escapeRegex(part));
    else return undefined;
  }
  return out.join('/');
}

function splitOnce(text: string, by: string): [string, string?] {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function escapeRegex(text: string): string {
  return text.replace(/[.$()+]/g, '\\$&');
}
