/** An Envoy's log file, folded into the agent's log line by line, and put aside when it has grown. */
import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import type { Log } from '../log.ts';

export interface LogFile {
  /** Reads what is new now. */
  read(): void;
  /** The last lines that were read, as Envoy wrote them. */
  tail(): string;
  close(): void;
}

/** What Envoy is told to write: one line an entry (`--log-format-escaped`), as time, level, logger and text. */
export const LOG_FORMAT = '[%Y-%m-%dT%T.%e%z][%l][%n] %v';

const LINE = /^\[[^\]]*\]\[(\w+)\]\[([^\]]*)\] (.*)$/;
const LEVELS = { trace: 'debug', debug: 'debug', info: 'info', warning: 'warning', error: 'error', critical: 'error' } as const;
/** What the agent knows better: its own comings and goings, and refusals, which it tells with file and line. */
const TOLD = /gRPC config stream to xds-grpc closed|^(?:delta|gRPC) config for type\.googleapis\.com\/\S+ rejected/;
const EVERY_MS = 250;
const LONGEST = 16 * 1024 * 1024;
const MOST_AT_ONCE = 256 * 1024;
const TAIL_LINES = 8;

export interface LogFileOptions {
  file: string;
  log: Log;
  /** Named in each line. */
  proxy: string;
  /** Makes Envoy open the file anew: it was put aside as `<name>.1`. */
  reopen(): void;
}

/** Follows the file from its present end. */
export function followLogFile({ file, log, proxy, reopen }: LogFileOptions): LogFile {
  let at = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  let rest = '';
  const last: string[] = [];
  const timer = setInterval(read, EVERY_MS);
  timer.unref();

  function read(): void {
    try {
      if (!existsSync(file)) return;
      const fd = openSync(file, 'r');
      try {
        const { size } = fstatSync(fd);
        if (size < at) at = 0;
        // Whoever writes faster than this is not read whole; it is all in the file.
        if (size - at > MOST_AT_ONCE) at = size - MOST_AT_ONCE;
        const bytes = Buffer.alloc(size - at);
        at += readSync(fd, bytes, 0, bytes.length, at);
        take(bytes.toString('utf8'));
      } finally {
        closeSync(fd);
      }
      if (at > LONGEST) putAside();
    } catch (error) {
      log.debug('Envoy’s log cannot be read', { proxy, why: (error as Error).message });
    }
  }

  function take(text: string): void {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() === '') continue;
      last.push(line);
      if (last.length > TAIL_LINES) last.shift();
      const [, level = '', logger, message] = LINE.exec(line) ?? [];
      if (message === undefined) log.error(`envoy: ${line}`, { proxy });
      else if (logger === 'config' && TOLD.test(message)) log.debug(`envoy: ${message}`, { proxy, logger });
      else log[LEVELS[level as keyof typeof LEVELS] ?? 'info'](`envoy: ${message}`, { proxy, logger });
    }
  }

  function putAside(): void {
    renameSync(file, `${file}.1`);
    at = 0;
    reopen();
  }

  return {
    read,
    tail: () => last.join('\n'),
    close() {
      read();
      clearInterval(timer);
    },
  };
}
