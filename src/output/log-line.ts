/** One event of the agent's log as people read it, where a terminal shows it among requests. */
import { paint } from './paint.ts';
import { harmless } from './source-excerpt.ts';

/**
 * `error: the embedded proxy ended: killed by SIGKILL; it starts again at once`: one line without a line feed. What happened comes
 * first, then `why` (or `reason`), then which proxy, then what else is known but for process ids.
 */
export function logLine(
  level: 'debug' | 'info' | 'warning' | 'error',
  message: string,
  fields: Readonly<Record<string, unknown>>,
  color: boolean,
): string {
  const style = paint(color);
  const { why, reason, proxy, pid: _, restartInMs, ...rest } = fields;
  const lead = level === 'error' || level === 'warning' ? `${style[level](`${level}:`)} ` : '';
  const parts = [message];
  if (proxy !== undefined) parts.push(` (${shown(proxy)})`);
  const cause = why ?? reason;
  if (cause !== undefined) parts.push(`: ${shown(cause)}`);
  const more = Object.entries(rest).map(([name, value]) => `${name} ${shown(value)}`);
  if (more.length > 0) parts.push(` [${more.join(', ')}]`);
  if (typeof restartInMs === 'number') parts.push(`; it starts again ${restartInMs === 0 ? 'at once' : `in ${restartInMs / 1000} s`}`);
  return lead + harmless(parts.join('')).replace(/[\r\n]+/g, ' ');
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
