import { DocumentSource } from '../config/document-source.ts';
import type { Resource } from '../config/resource.ts';
import { renderDocument } from './render.ts';

/** A resource as it stands in its file, comments included, without its `---`; what comes from elsewhere is written anew. */
export function writtenText({ source, apiVersion, kind, metadata, spec }: Resource): string {
  if (source instanceof DocumentSource && source.written.prefix.length === 0) {
    const { file, range } = source.written;
    return file.text.slice(range.start, range.end).replace(/^\s*---[^\n]*\n/, '');
  }
  return renderDocument({ apiVersion, kind, metadata: { name: metadata.name, namespace: metadata.namespace }, spec });
}
