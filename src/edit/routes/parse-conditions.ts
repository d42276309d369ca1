/** Conditions of a match as a person types them. */
import type { HTTPMatchRequest, StringMatch } from '../../config/kinds/networking.ts';
import { FairleadError } from '../../errors.ts';

export interface Conditions {
  /** `/exact`, `/prefix*`, `~regex`. */
  path?: string | undefined;
  method?: string | undefined;
  /** `name=exact`, `name=prefix*`, `name~=regex`, or `name` for a header that is there. */
  headers?: readonly string[] | undefined;
  /** As headers; the name is a query parameter's. */
  query?: readonly string[] | undefined;
}

/** One match with all of the conditions; undefined when there is none. Throws E_USAGE. */
export function parseConditions({ path, method, headers = [], query = [] }: Conditions): HTTPMatchRequest | undefined {
  const match: HTTPMatchRequest = {};
  if (path !== undefined) match.uri = path.startsWith('~') ? { regex: path.slice(1) } : stringMatch(path);
  if (method !== undefined) match.method = { exact: method.toUpperCase() };
  if (headers.length > 0)
    match.headers = Object.fromEntries(headers.map((h) => named(h, 'header')).map(([name, m]) => [name.toLowerCase(), m]));
  if (query.length > 0) match.queryParams = Object.fromEntries(query.map((q) => named(q, 'query')));
  return Object.keys(match).length === 0 ? undefined : match;
}

function named(text: string, flag: string): [string, StringMatch] {
  const [, name, operator, value = ''] = /^([^=~\s]+)(?:(~?=)(.*))?$/s.exec(text) ?? [];
  if (name === undefined)
    throw new FairleadError('E_USAGE', `--${flag} ${JSON.stringify(text)} is not a condition`, {
      next: `Write --${flag} NAME=VALUE, NAME=PREFIX*, NAME~=REGEX, or NAME alone.`,
    });
  if (operator === undefined) return [name, {}];
  return [name, operator === '~=' ? { regex: value } : stringMatch(value)];
}

const stringMatch = (text: string): StringMatch => (text.endsWith('*') ? { prefix: text.slice(0, -1) } : { exact: text });
