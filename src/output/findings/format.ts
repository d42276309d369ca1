import { type Finding, LEVELS, type Level } from '../../analysis/finding.ts';
import { findingJson } from './json.ts';
import type { FindingsFormat, FindingsReport } from './report.ts';

/** The formats of findings besides those of every command. */
export const FINDING_FORMATS = ['text', 'json', 'yaml', 'sarif', 'junit', 'github'] as const;

/** True for findings of at least that level. */
export function isAtLeast(level: Level): (finding: Pick<Finding, 'level'>) => boolean {
  return (finding) => LEVELS.indexOf(finding.level) <= LEVELS.indexOf(level);
}

/** Findings in a format; the text ends with a line break unless it is empty. */
export async function formatFindings(
  output: string | undefined,
  report: FindingsReport,
  format: FindingsFormat,
  failOn: Level,
): Promise<string> {
  switch (output) {
    case 'json':
      return `${JSON.stringify(report.findings.map(findingJson), null, 2)}\n`;
    case 'yaml': {
      const { stringify } = await import('yaml');
      return stringify(report.findings.map(findingJson), { aliasDuplicateObjects: false, lineWidth: 0 });
    }
    case 'sarif':
      return (await import('./sarif.ts')).findingsSarif(report, format);
    case 'junit':
      return (await import('./junit.ts')).findingsJunit(report, isAtLeast(failOn));
    case 'github':
      return (await import('./github.ts')).findingsGithub(report);
    default:
      return `${await (await import('./text.ts')).findingsText(report, format)}\n`;
  }
}
