/** GitHub's workflow commands, which make annotations in a pull request: one line a finding. */
import type { Level } from '../../analysis/finding.ts';
import type { FindingsReport } from './report.ts';

const COMMANDS: Record<Level, string> = { Error: 'error', Warning: 'warning', Info: 'notice' };

/** One `::error file=…::` line for each finding; nothing when there is none. */
export function findingsGithub({ findings }: FindingsReport): string {
  return findings
    .map(({ code, level, message, hint, origin, position }) => {
      const place = position === undefined ? '' : `file=${property(position.file)},line=${position.line},col=${position.column},`;
      const text = hint === undefined ? message : `${message}\n${hint}`;
      return `::${COMMANDS[level]} ${place}title=${property(`${code} ${origin}`)}::${data(text)}\n`;
    })
    .join('');
}

/** The escapes of @actions/core. */
const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
