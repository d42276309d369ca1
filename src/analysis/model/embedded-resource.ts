import type { TextSource } from '../../config/document-source.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';

/** What stands as YAML inside a field of another object, as if it were an object of its own; its positions are those of the text. */
export function embeddedResource(
  holder: Resource,
  path: FieldPath,
  text: string,
  { kind, name }: { kind: string; name: string },
): Resource {
  const source = (holder.source as Partial<TextSource>).embedded?.(path, text) ?? holder.source;
  return { ...holder, kind, metadata: { ...holder.metadata, name }, source };
}
