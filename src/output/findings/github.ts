import type { Level } from '../../analysis/finding.ts';
import { workflowCommand } from '../workflow-command.ts';
import type { FindingsReport } from './report.ts';

const COMMANDS = { Error: 'error', Warning: 'warning', Info: 'notice' } as const satisfies Record<Level, string>;

/** GitHub's annotations: one `::error file=…::` line for each finding; nothing when there is none. */
export function findingsGithub({ findings }: FindingsReport): string {
  return findings
    .map(({ code, level, message, hint, origin, position }) =>
      workflowCommand(COMMANDS[level], `${code} ${origin}`, hint === undefined ? message : `${message}\n${hint}`, position),
    )
    .join('');
}
