import { type Finding, LEVELS, type Level } from '../../analysis/finding.ts';
import { findingJson, findingsJson } from './json.ts';
import type { FindingsFormat, FindingsReport } from './report.ts';

/** The formats of findings besides those of every command. */
export const FINDING_FORMATS = ['text', 'json', 'yaml', 'sarif', 'junit', 'github'] as const;

/** True for findings of at least that level. */
export function isAtLeast(level: Level): (finding: Pick<Finding, 'level'>) => boolean {
  return (finding) => LEVELS.indexOf(finding.level) <= LEVELS.indexOf(level);
}

/** What pieces are put together to: a write for each finding would cost more than its text. UTF-16 units. */
const PIECE = 65_536;

/** Findings in a format, piece by piece: tens of thousands are written as they are put into words. The text ends with a line break unless it is empty. */
export async function* formatFindings(
  output: string | undefined,
  report: FindingsReport,
  format: FindingsFormat,
  failOn: Level,
): AsyncGenerator<string, void> {
  let piece = '';
  for await (const text of textsOf(output, report, format, failOn)) {
    piece += text;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

async function* textsOf(
  output: string | undefined,
  report: FindingsReport,
  format: FindingsFormat,
  failOn: Level,
): AsyncGenerator<string, void> {
  switch (output) {
    case 'json':
      return yield* findingsJson(report);
    case 'yaml': {
      const { stringify } = await import('yaml');
      return yield stringify(report.findings.map(findingJson), { aliasDuplicateObjects: false, lineWidth: 0 });
    }
    case 'sarif':
      return yield* (await import('./sarif.ts')).findingsSarif(report, format);
    case 'junit':
      return yield* (await import('./junit.ts')).findingsJunit(report, isAtLeast(failOn));
    case 'github':
      return yield* (await import('./github.ts')).findingsGithub(report);
    default:
      return yield* (await import('./text.ts')).findingsText(report, format);
  }
}
