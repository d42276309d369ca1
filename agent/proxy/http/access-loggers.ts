import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import type { AccessLogJson } from '#envoy-api/envoy/config/accesslog/v3/accesslog_pb.js';
import type { SubstitutionFormatStringJson } from '#envoy-api/envoy/config/core/v3/substitution_format_string_pb.js';
import type { Problem } from '../../../src/errors.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import type { StreamInfo } from '../../../src/routing/stream-info.ts';
import { compileAccessLog } from '../../../src/telemetry/access-log.ts';
import { compileAccessLogFilter } from '../../../src/telemetry/access-log-filter.ts';
import { asRecordLog } from '../../../src/telemetry/record-log.ts';
import type { RequestRecord } from '../../../src/telemetry/request-record.ts';

/** Writes one line for each finished request. */
export interface AccessLogger {
  log(info: StreamInfo): void;
}

const FILE = 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog';
const STDOUT = 'type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog';
/** Lines are gathered for so long before they are written. Milliseconds. */
const GATHER_MS = 100;
const GATHER_CHARACTERS = 64 * 1024;

/** One writer a path, for all listeners of the process. */
const writers = new Map<string, (line: string) => void>();

/** What the record log of the agent's own asks for. */
export interface RecordSettings {
  /** Where records say that they were made; undefined: as traffic is seen to go. */
  readonly direction: RequestRecord['direction'] | undefined;
  /** Lower-case names of request headers that records keep. */
  readonly headers: readonly string[];
}

const NO_RECORD_LOG: RecordSettings = { direction: undefined, headers: [] };

/** Compiles access loggers. The record log becomes `records`: the proxy has a channel of its own for it. */
export function compileAccessLoggers(
  loggers: readonly AccessLogJson[] | undefined,
  path: string,
): { loggers: AccessLogger[]; records: RecordSettings; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const compiled: AccessLogger[] = [];
  let records = NO_RECORD_LOG;
  for (const [i, json] of (loggers ?? []).entries()) {
    const own = asRecordLog(json);
    if (own !== undefined) {
      records = own;
      continue;
    }
    const field = `${path}.accessLog[${i}]`;
    const unsupported = (where: string, what: string): void => {
      problems.push({ severity: 'error', rule: 'unsupported/access-log', message: `${where}: ${what} is not supported`, path: where });
    };
    const config = json.typedConfig as { '@type'?: string; path?: string; logFormat?: SubstitutionFormatStringJson } & Record<
      string,
      unknown
    >;
    const type = config?.['@type'];
    if (type !== FILE && type !== STDOUT) {
      unsupported(field, `the access logger ${json.name ?? type}`);
      continue;
    }
    for (const old of ['format', 'jsonFormat', 'typedJsonFormat'])
      if (config[old] !== undefined) unsupported(`${field}.typedConfig.${old}`, 'the deprecated format; use logFormat');
    const found = new ProblemList();
    const wanted = json.filter && compileAccessLogFilter(json.filter, `${field}.filter`, found);
    const format = compileAccessLog(config.logFormat, `${field}.typedConfig.logFormat`);
    problems.push(...found.all, ...format.problems);
    if (format.value === undefined || found.failed) continue;
    const line = format.value;
    const write = writerFor(type === STDOUT ? '/dev/stdout' : (config.path ?? ''));
    compiled.push({
      log(info) {
        if (wanted === undefined || wanted(info)) write(line(info));
      },
    });
  }
  return { loggers: compiled, records, problems };
}

const flushes: (() => void)[] = [];

/** One listener of the process for all logs. */
function atExit(flush: () => void): void {
  if (flushes.push(flush) > 1) return;
  process.once('exit', () => {
    for (const each of flushes) each();
  });
}

function writerFor(path: string): (line: string) => void {
  let writer = writers.get(path);
  if (writer === undefined) {
    writer = createWriter(path);
    writers.set(path, writer);
  }
  return writer;
}

function createWriter(path: string): (line: string) => void {
  // Opening /dev/stdout anew fails where it is a socket, as under a service manager.
  const stream: Writable =
    path === '/dev/stdout'
      ? process.stdout
      : path === '/dev/stderr'
        ? process.stderr
        : createWriteStream(path, { flags: 'a', mode: 0o600 });
  // A full disk must not end the proxy: lines are lost instead.
  stream.on('error', () => undefined);
  let pending = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    if (timer !== undefined) clearTimeout(timer);
    timer = undefined;
    const text = pending;
    pending = '';
    if (text !== '') stream.write(text, 'latin1');
  };
  atExit(flush);
  return (line) => {
    pending += line;
    if (pending.length >= GATHER_CHARACTERS) flush();
    else timer ??= setTimeout(flush, GATHER_MS).unref();
  };
}
