/** Collects what a plan has, several at once, redacts it and puts it into the archive. */
import { FairleadError } from '../../src/errors.ts';
import { redactJson } from '../../src/report/redact-json.ts';
import { redactText } from '../../src/report/redact-text.ts';
import { slimWorkload } from '../../src/report/slim-workload.ts';
import { inParallel } from '../remote/in-parallel.ts';
import type { Archive } from './archive.ts';
import type { Collected, LeftOut, ReportItem, ReportPlan } from './types.ts';

const AT_ONCE = 8;
/** More than any file that somebody reads. */
const LARGEST = 128 * 1024 * 1024;

export interface ReportedFile {
  readonly path: string;
  readonly what: string;
  readonly bytes: number;
  /** How many secrets were taken out. */
  readonly redacted: number;
  readonly note?: string;
}

export interface ReportManifest {
  readonly version: 1;
  /** Fairlead's. */
  readonly fairlead: string;
  /** ISO 8601. */
  readonly madeAt: string;
  readonly command: readonly string[];
  readonly files: readonly ReportedFile[];
  readonly leftOut: readonly LeftOut[];
  readonly notes: readonly string[];
  readonly redacted: number;
}

export interface RunReportOptions {
  readonly version: string;
  readonly madeAt: Date;
  readonly command: readonly string[];
  readonly signal: AbortSignal;
  progress?(done: number, of: number): void;
}

/** Runs a plan. What cannot be had is left out and named; rejects with E_FILE_UNWRITABLE, or with the signal's reason. */
export async function runReport(plan: ReportPlan, archive: Archive, options: RunReportOptions): Promise<ReportManifest> {
  const { signal } = options;
  const leftOut: LeftOut[] = [...plan.leftOut];
  const files = new Map<string, ReportedFile>();
  let writing: Promise<unknown> = Promise.resolve();
  let done = 0;
  /** One after the other: an archive has one end. */
  const write = (path: string, content: string): Promise<boolean> => {
    const next = writing.then(() => archive.add(path, content));
    writing = next.catch(() => undefined);
    return next;
  };
  await inParallel(plan.items, AT_ONCE, async (item) => {
    signal.throwIfAborted();
    const { path, what } = item;
    const collected = await collect(item, signal);
    signal.throwIfAborted();
    if (typeof collected === 'string') leftOut.push({ path, why: collected });
    else {
      const { text, count } = redacted(path, collected);
      if (text.length > LARGEST) leftOut.push({ path, why: `it is larger than ${LARGEST / 1024 / 1024} MiB` });
      else if (!(await write(path, text))) leftOut.push({ path, why: 'there was no room left (--max-size)' });
      else
        files.set(path, {
          path,
          what,
          bytes: Buffer.byteLength(text),
          redacted: count,
          ...(collected.note === undefined ? {} : { note: collected.note }),
        });
    }
    done += 1;
    options.progress?.(done, plan.items.length);
  });
  const inOrder = plan.items.flatMap(({ path }) => files.get(path) ?? []);
  const manifest: ReportManifest = {
    version: 1,
    fairlead: options.version,
    madeAt: options.madeAt.toISOString(),
    command: options.command.map((word) => redactText(word).text),
    files: inOrder,
    leftOut: leftOut.map(({ path, why }) => ({ path, why: redactText(why).text })),
    notes: plan.notes,
    redacted: inOrder.reduce((sum, file) => sum + file.redacted, 0),
  };
  signal.throwIfAborted();
  await archive.finish('manifest.json', `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** Why it cannot be had, or what was. */
async function collect(item: ReportItem, signal: AbortSignal): Promise<Collected | string> {
  try {
    return await item.collect(signal);
  } catch (error) {
    signal.throwIfAborted();
    const { message } = error as Error;
    return error instanceof FairleadError ? `${message} (${error.code})` : message;
  }
}

/** Text that is JSON is taken apart; what only looks like it is text. */
function redacted(path: string, { content }: Collected): { text: string; count: number } {
  if (typeof content !== 'string') return asJson(content.json);
  if (path.endsWith('.json')) {
    try {
      return asJson(JSON.parse(content));
    } catch {
      // As it is, then.
    }
  }
  return redactText(content);
}

function asJson(value: unknown): { text: string; count: number } {
  // Wherever containers are told of, so that no item can forget it.
  const slim = slimWorkload(value);
  const clean = redactJson(slim.value);
  return { text: `${JSON.stringify(clean.value, null, 2)}\n`, count: slim.count + clean.count };
}
