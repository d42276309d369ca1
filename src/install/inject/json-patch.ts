/** The difference of two values as a JSON Patch (RFC 6902), with which a mutating webhook answers. */
import { isEqual, isMapValue } from '../../edit/equal.ts';

export interface PatchOperation {
  op: 'add' | 'remove' | 'replace';
  /** A JSON Pointer (RFC 6901). */
  path: string;
  value?: unknown;
}

/** Maps are gone into; lists too while items are only added at their end, else they are replaced as a whole. Applied in order, they give `after`. */
export function jsonPatch(before: unknown, after: unknown, path = ''): PatchOperation[] {
  if (isEqual(before, after)) return [];
  if (isMapValue(before) && isMapValue(after)) {
    return [
      ...Object.keys(before).flatMap((key): PatchOperation[] =>
        Object.hasOwn(after, key) ? [] : [{ op: 'remove', path: pointer(path, key) }],
      ),
      ...Object.keys(after).flatMap((key): PatchOperation[] =>
        Object.hasOwn(before, key)
          ? jsonPatch(before[key], after[key], pointer(path, key))
          : [{ op: 'add', path: pointer(path, key), value: after[key] }],
      ),
    ];
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length <= after.length && before.every((item, i) => isSame(item, after[i]))) {
    return [
      ...before.flatMap((item, i) => jsonPatch(item, after[i], pointer(path, String(i)))),
      ...after.slice(before.length).map((value): PatchOperation => ({ op: 'add', path: pointer(path, '-'), value })),
    ];
  }
  return [{ op: 'replace', path, value: after }];
}

/** Items of Kubernetes' lists have names; another name is another item. */
const isSame = (a: unknown, b: unknown): boolean => (isMapValue(a) && isMapValue(b) ? a['name'] === b['name'] : isEqual(a, b));

const pointer = (path: string, key: string): string => `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
