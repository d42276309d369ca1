import { DocumentSource } from '../../config/document-source.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { TextFile } from '../../config/text-file.ts';
import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';

/** A number written with a leading zero, alone behind whatever is before it; and words for booleans as keys. Most texts have neither. */
const OCTAL = /(?<![\w./:-])[-+]?0o?[0-7][0-7_]*(?=\s*(?:[,\]}#\r\n]|$))/;
const WORD_KEY = /(?<![\w"'./-])(?:y|yes|on|n|no|off)[ \t]*:(?=\s|$)/i;

/** What YAML 1.1, which kubectl reads, makes of texts that look like something else. */
export const yamlTraps: Analyzer = {
  name: 'fl-yaml-traps',
  codes: ['FL0601', 'FL0602'],
  run(model, report) {
    const files = new Map<TextFile, boolean>();
    for (const resource of model.all) {
      if (!(resource.source instanceof DocumentSource)) continue;
      const { file, range } = resource.source.written;
      let suspect = files.get(file);
      if (suspect === undefined) {
        suspect = isSuspect(file.text);
        files.set(file, suspect);
      }
      if (!suspect || !isSuspect(file.text.slice(range.start, range.end))) continue;
      const visit = (value: unknown, path: FieldPath): void => walk(resource, value, path, report);
      visit(resource.metadata.labels, ['metadata', 'labels']);
      visit(resource.metadata.annotations, ['metadata', 'annotations']);
      visit(resource.spec, ['spec']);
    }
  },
};

const isSuspect = (text: string): boolean => OCTAL.test(text) || WORD_KEY.test(text);

function walk(resource: Resource, value: unknown, path: FieldPath, report: ReportFinding): void {
  const source = resource.source as DocumentSource;
  if (typeof value === 'number') {
    const written = source.writtenAt(path);
    if (written === undefined || !/^[-+]?0o?[0-7_]+$/.test(written) || Number(written.replace(/^([-+]?)0o/, '$10')) === value) return;
    const decimal = Number(written.replace('o', '').replaceAll('_', ''));
    report('FL0601', resource, path, { written, value, decimal });
    return;
  }
  if (value === null || typeof value !== 'object') return;
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  for (const [key, inner] of entries) {
    const place = [...path, key];
    if (key === 'true' || key === 'false') {
      const written = keyWritten(source, place);
      if (/^(?:y|yes|on|n|no|off)$/i.test(written))
        report(
          'FL0602',
          resource,
          place,
          { written, key },
          {
            atKey: true,
            ...(Object.hasOwn(value, written)
              ? {}
              : { fix: { title: `Quote the key ${written}`, edits: [{ resource, path: place, key: written }] } }),
          },
        );
    }
    walk(resource, inner, place, report);
  }
}

function keyWritten(source: DocumentSource, path: FieldPath): string {
  const { line, column } = source.keyPositionOf(path);
  return /^[A-Za-z]*/.exec((source.written.file.line(line) ?? '').slice(column - 1))![0];
}
