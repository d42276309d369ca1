import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import type { AccessLogJson } from '#envoy-api/envoy/config/accesslog/v3/accesslog_pb.js';
import type { SubstitutionFormatStringJson } from '#envoy-api/envoy/config/core/v3/substitution_format_string_pb.js';
import type { Problem } from '../../../src/errors.ts';
import type { StreamInfo } from '../../../src/routing/stream-info.ts';
import { compileAccessLog } from '../../../src/telemetry/access-log.ts';

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

/** Compiles access loggers; filters other than those on response flags are refused. */
export function compileAccessLoggers(
  loggers: readonly AccessLogJson[] | undefined,
  path: string,
): { loggers: AccessLogger[]; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const compiled: AccessLogger[] = [];
  for (const [i, json] of (loggers ?? []).entries()) {
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
    const flags = json.filter?.responseFlagFilter;
    if (json.filter !== undefined && (flags === undefined || Object.keys(json.filter).length > 1)) {
      unsupported(`${field}.filter`, Object.keys(json.filter).join(', '));
      continue;
    }
    const format = compileAccessLog(config.logFormat, `${field}.typedConfig.logFormat`);
    problems.push(...format.problems);
    if (format.value === undefined) continue;
    const line = format.value;
    const write = writerFor(type === STDOUT ? '/dev/stdout' : (config.path ?? ''));
    const wanted = flags?.flags;
    compiled.push({
      log(info) {
        if (wanted === undefined || hasFlag(info.flags ?? '-', wanted)) write(line(info));
      },
    });
  }
  return { loggers: compiled, problems };
}

/** No flags listed: any flag. */
function hasFlag(flags: string, wanted: readonly string[]): boolean {
  if (flags === '-') return false;
  return wanted.length === 0 || flags.split(',').some((flag) => wanted.includes(flag));
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
  process.once('exit', flush);
  return (line) => {
    pending += line;
    if (pending.length >= GATHER_CHARACTERS) flush();
    else timer ??= setTimeout(flush, GATHER_MS).unref();
  };
}
