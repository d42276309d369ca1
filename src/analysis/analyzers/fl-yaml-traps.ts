import { DocumentSource } from '../../config/document-source.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';

/** A number written with a leading zero, or a word that is a boolean, behind a key, a dash or in a list; and such words as keys. */
const OCTAL = /[:\s[,-]\s*[-+]?0o?[0-7_]+\s*(?:[,\]}#\r\n]|$)/m;
const WORD_KEY = /^[ \t{,?-]*(?:y|yes|on|n|no|off)[ \t]*:(?:\s|$)|[{,][ \t]*(?:y|yes|on|n|no|off)[ \t]*:\s/im;

/** What YAML 1.1, which kubectl reads, makes of texts that look like something else. */
export const yamlTraps: Analyzer = {
  name: 'fl-yaml-traps',
  codes: ['FL0601', 'FL0602'],
  run(model, report) {
    const seen = new Set<Resource>();
    for (const resource of model.all) {
      if (!(resource.source instanceof DocumentSource) || seen.has(resource)) continue;
      seen.add(resource);
      const { file, range } = resource.source.written;
      const text = file.text.slice(range.start, range.end);
      const octal = OCTAL.test(text);
      const keys = WORD_KEY.test(text);
      if (!octal && !keys) continue;
      const visit = (value: unknown, path: FieldPath): void => walk(resource, value, path, report);
      visit(resource.metadata.labels, ['metadata', 'labels']);
      visit(resource.metadata.annotations, ['metadata', 'annotations']);
      visit(resource.spec, ['spec']);
    }
  },
};

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
