import { barePrefix } from './http-match.ts';

/** A new path: a text in the place of the matched prefix, or an expression (RE2) and what stands for its finds. */
export type PathChange = { readonly prefix: string } | { readonly regex: string; readonly text: string } | undefined;

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Whole paths have a slash in front. */
export function fullPath(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

/**
 * ReplacePrefixMatch: the segments of a prefix are replaced, whatever slashes stand at the ends. `/foo` by `/xyz` makes `/xyz/bar` of
 * `/foo/bar`; by an empty text or `/` it makes `/bar`.
 * https://gateway-api.sigs.k8s.io/reference/spec/#httppathmodifier
 *
 * @param matched the prefix that the rule matches
 */
export function replacePrefix(matched: string, replacement: string): PathChange {
  const [from, to] = [barePrefix(matched), barePrefix(replacement)];
  // Nothing is left of the prefix: the slash after it goes too, and one comes in front.
  if (to === '') return from === '' ? undefined : { regex: `^${escaped(from)}/?`, text: '/' };
  return { prefix: from === '' ? `${fullPath(to)}/` : fullPath(to) };
}

/** A whole path as what an expression's finds are replaced by: `\` has a meaning there. */
export function replaceWhole(path: string): PathChange {
  return { regex: '^/.*$', text: fullPath(path).replaceAll('\\', '\\\\') };
}
