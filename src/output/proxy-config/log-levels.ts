import { FairleadError } from '../../errors.ts';

const levels = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'];

/** One logger and its level, as the admin API tells them. */
export interface LogLevel {
  logger: string;
  level: string;
}

/** Reads the answer of `/logging`: a title, then `  <name>: <level>` a line. */
export function parseLogLevels(text: string): LogLevel[] {
  return text.split('\n').flatMap((line) => {
    const [, logger, level] = /^\s*([\w.-]+):\s*(\w+)\s*$/.exec(line) ?? [];
    return logger && level ? [{ logger, level }] : [];
  });
}

/** `proxy-config log`: `<name>: <level>` a line. */
export function logLevelsText(levels: readonly LogLevel[]): string {
  return `active loggers:\n${levels.map((l) => `  ${l.logger}: ${l.level}\n`).join('')}`;
}

/** The queries of `/logging` that set `LEVEL` or `LOGGER:LEVEL,…`, one each: Envoy takes one at a time. Throws E_USAGE for what is no level. */
export function levelQueries(text: string): string[] {
  return text.split(',').map((part) => {
    const colon = part.lastIndexOf(':');
    const [logger, level] = [
      colon < 0 ? 'level' : part.slice(0, colon).trim(),
      part
        .slice(colon + 1)
        .trim()
        .toLowerCase(),
    ];
    if (logger === '' || !levels.includes(level)) {
      throw new FairleadError('E_USAGE', `${JSON.stringify(part)} is not a log level`, {
        next: `Levels are ${levels.join(', ')}; LOGGER:LEVEL sets one logger.`,
      });
    }
    return `?${encodeURIComponent(logger)}=${level}`;
  });
}
