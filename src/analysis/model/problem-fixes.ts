import type { TextSource } from '../../config/document-source.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Problem } from '../../errors.ts';
import type { Fix } from '../finding.ts';

/** Deprecated fields that have an exact replacement: what it is called, and the new value. */
const REPLACED: readonly { readonly path: RegExp; readonly by: string; value(old: unknown): unknown }[] = [
  { path: /^spec\.http\[\d+\]\.mirrorPercent$/, by: 'mirrorPercentage', value: (old) => ({ value: old }) },
  { path: /^spec\.http\[\d+\]\.fault\.delay\.percent$/, by: 'percentage', value: (old) => ({ value: old }) },
];

/** The fix of something that loading found; undefined where a person has to decide. */
export function fixOfProblem({ rule, hint, path = '' }: Problem, resource: Resource | undefined): Fix | undefined {
  if (resource === undefined) return undefined;
  if (rule === 'schema/type') return hint?.includes('; quote it: ') ? quoted(resource, parsePath(path)) : undefined;
  if (rule === 'semantic/deprecated') return replacedField(resource, parsePath(path));
  return /^spec\.(?:hosts|exportTo)\[\d+\]$/.test(path) ? withoutDoubles(resource, parsePath(path)) : undefined;
}

/** A number or word that YAML takes for something else than the text that is needed: the very characters, as a text. */
function quoted(resource: Resource, path: FieldPath): Fix | undefined {
  const written = (resource.source as Partial<TextSource>).writtenAt?.(path);
  return written === undefined ? undefined : { title: `Quote ${written}`, edits: [{ resource, path, value: written }] };
}

/** The list that an entry is in, with each entry once; undefined when this one is there once only. */
export function withoutDoubles(resource: Resource, path: FieldPath): Fix | undefined {
  const at = path.slice(0, -1);
  const list = valueAt(resource, at);
  const entry: unknown = valueAt(resource, path);
  if (!Array.isArray(list) || typeof entry !== 'string' || list.indexOf(entry) === list.lastIndexOf(entry)) return undefined;
  return { title: `Take out the second ${entry}`, edits: [{ resource, path: at, value: [...new Set(list)] }] };
}

const valueAt = (resource: Resource, path: FieldPath): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string | number, unknown> | undefined)?.[key], resource);

/** The field at `path` under its new name; where the new one is there already the old one does nothing, and goes. */
export function replacedField(resource: Resource, path: FieldPath): Fix | undefined {
  const text = path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .slice(1);
  const found = REPLACED.find((entry) => entry.path.test(text));
  const parent = path.slice(0, -1);
  const holder = valueAt(resource, parent) as Record<string, unknown> | undefined;
  const old = String(path.at(-1));
  if (found === undefined || holder?.[old] === undefined) return undefined;
  const out = { resource, path, value: undefined };
  const set = { resource, path: [...parent, found.by], value: found.value(holder[old]) };
  return { title: `Write ${old} as ${found.by}`, edits: holder[found.by] === undefined ? [out, set] : [out] };
}

/** The inverse of `formatPath`. */
export function parsePath(text: string): FieldPath {
  return [...text.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)].map(([, index, quote, name]) =>
    index !== undefined ? Number(index) : quote !== undefined ? (JSON.parse(quote) as string) : name!,
  );
}
