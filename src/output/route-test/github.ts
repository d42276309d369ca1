import type { TestReport } from '../../explain/test/types.ts';
import { workflowCommand } from '../workflow-command.ts';
import { failureText } from './plain.ts';
import { percentText } from './text.ts';

/** GitHub's annotations: an error for each failed test at what it expected, and for coverage under what was asked for. */
export function testGithub({ tests, coverage }: TestReport, failUnder?: number): string {
  const failed = tests.flatMap(({ name, failures, failed: of }) => {
    const [first] = failures;
    if (first === undefined) return [];
    const more = of > 1 ? `\nand ${of - 1} more` : '';
    return [workflowCommand('error', name, failureText(first) + more, first.failures[0]!.position)];
  });
  if (coverage === undefined || failUnder === undefined || coverage.percent >= failUnder) return failed.join('');
  const untested = coverage.untested.map(({ file, line, column, resource }) =>
    workflowCommand('warning', 'not tested', `no test covers ${resource}`, { file, line, column }),
  );
  const said = workflowCommand('error', 'coverage', `coverage is ${percentText(coverage.percent)}, under ${failUnder} %`, undefined);
  return [...failed, said, ...untested].join('');
}
