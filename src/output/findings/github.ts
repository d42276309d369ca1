import type { Level } from '../../analysis/finding.ts';
import { workflowCommand } from '../workflow-command.ts';
import type { FindingsReport } from './report.ts';

const COMMANDS = { Error: 'error', Warning: 'warning', Info: 'notice' } as const satisfies Record<Level, string>;

/** GitHub's annotations: one `::error file=…::` line for each finding; nothing when there is none. */
export function* findingsGithub({ findings }: FindingsReport): Generator<string, void> {
  for (const { code, level, message, hint, origin, position } of findings)
    yield workflowCommand(COMMANDS[level], `${code} ${origin}`, hint === undefined ? message : `${message}\n${hint}`, position);
}
