/** The agent's structured log: one line an event, as text or JSON for collectors, or as a sentence for whoever sits before it. */
import { logLine } from '../src/output/log-line.ts';

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

export type LogFormat = 'text' | 'json' | 'plain' | 'colored';

export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warning(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

const ORDER: Record<LogLevel, number> = { debug: 0, info: 1, warning: 2, error: 3 };

/** @param write takes one line, with its line feed */
export function createLog(format: LogFormat, level: LogLevel, write: (line: string) => void): Log {
  const emit =
    (at: LogLevel) =>
    (message: string, fields: Record<string, unknown> = {}) => {
      if (ORDER[at] < ORDER[level]) return;
      if (format === 'plain' || format === 'colored') return write(`${logLine(at, message, fields, format === 'colored')}\n`);
      const time = new Date().toISOString();
      if (format === 'json') return write(`${JSON.stringify({ time, level: at, message, ...fields })}\n`);
      const rest = Object.entries(fields).map(([k, v]) => ` ${k}=${typeof v === 'string' && /^[^\s"=]+$/.test(v) ? v : JSON.stringify(v)}`);
      write(`${time} ${at.padEnd(7)} ${message}${rest.join('')}\n`);
    };
  return { debug: emit('debug'), info: emit('info'), warning: emit('warning'), error: emit('error') };
}

/** For parts that somebody else speaks for. */
export const silentLog: Log = createLog('text', 'error', () => undefined);
