/** GitHub's workflow commands, which make annotations in a pull request. */
import type { Position } from '../config/resource.ts';

/** One `::error file=…::` line. */
export function workflowCommand(
  command: 'error' | 'warning' | 'notice',
  title: string,
  text: string,
  position: Position | undefined,
): string {
  const place =
    position === undefined || position.line === 0 ? '' : `file=${property(position.file)},line=${position.line},col=${position.column},`;
  return `::${command} ${place}title=${property(title)}::${data(text)}\n`;
}

/** The escapes of @actions/core. */
const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
