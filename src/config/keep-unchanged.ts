import type { TextSource } from './document-source.ts';
import type { Resource } from './resource.ts';

/**
 * `after` with those objects of `before` in place of new ones that were written in the same way at the same place. Whoever compares by
 * identity sees only what changed, and every position is still right.
 */
export function keepUnchanged(before: readonly Resource[], after: readonly Resource[]): Resource[] {
  if (before.length === 0) return [...after];
  const known = new Map(before.map((r) => [keyOf(r), r]));
  return after.map((resource) => {
    const old = known.get(keyOf(resource));
    return old !== undefined && (resource.source as Partial<TextSource>).isSameAs?.(old.source) ? old : resource;
  });
}

function keyOf({ apiVersion, kind, metadata, source }: Resource): string {
  return `${apiVersion} ${kind} ${metadata.namespace}/${metadata.name} ${source.file}`;
}
