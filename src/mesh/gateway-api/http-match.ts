import type { HTTPRouteMatch } from '../../config/kinds/gateway-api.ts';
import type { StringMatch } from '../../config/kinds/networking.ts';
import type { HttpMatch } from '../types.ts';

export interface ValueMatch {
  type?: 'Exact' | 'RegularExpression';
  name: string;
  value: string;
}

/** Conditions by name; of several with one name the first counts, as the API says. */
export function valueMatches(
  list: readonly ValueMatch[] | undefined,
  nameOf: (name: string) => string,
): Record<string, StringMatch> | undefined {
  if (!list?.length) return undefined;
  const out: Record<string, StringMatch> = {};
  for (const { type, name, value } of list) {
    const key = nameOf(name);
    if (!Object.hasOwn(out, key)) out[key] = type === 'RegularExpression' ? { regex: value } : { exact: value };
  }
  return out;
}

/** A prefix without the slashes at its end, which mean nothing: `/a/` is `/a`, and `/` is empty. */
export function barePrefix(prefix: string): string {
  return prefix.replace(/\/+$/, '');
}

function pathMatch({ type = 'PathPrefix', value = '/' }: NonNullable<HTTPRouteMatch['path']>): HttpMatch {
  if (type === 'Exact') return { uri: { exact: value } };
  if (type === 'RegularExpression') return { uri: { regex: value } };
  const prefix = barePrefix(value);
  return prefix === '' ? { uri: { prefix: '/' } } : { uri: { prefix }, bySegments: true };
}

/** A match of an HTTPRoute in the model's words. https://gateway-api.sigs.k8s.io/reference/spec/#httproutematch */
export function httpMatch({ path, headers, queryParams, method }: HTTPRouteMatch): HttpMatch {
  const byHeader = valueMatches(headers, (name) => name.toLowerCase());
  const byQuery = valueMatches(queryParams, (name) => name);
  return {
    ...pathMatch(path ?? {}),
    ...(method && { method: { exact: method } }),
    ...(byHeader && { headers: byHeader }),
    ...(byQuery && { queryParams: byQuery }),
  };
}
