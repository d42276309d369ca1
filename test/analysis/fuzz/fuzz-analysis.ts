import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { random } from '../../config/random.ts';
import { badInput } from './bad-input.ts';

export interface FuzzAnalysisOptions {
  seed: number;
  /** Milliseconds since 1970. */
  until: number;
  log(line: string): void;
}

/** A hang, for inputs of some hundred kilobytes that take milliseconds. */
const HANG_MS = 60_000;
/** What one analysis may hold, MiB: some hundred times its input. */
const HEAP = 512;

/** Bad files through the analysis and every output, each beside a good one. Returns what went wrong, empty when nothing did. */
export async function fuzzAnalysis({ seed, until, log }: FuzzAnalysisOptions): Promise<string[]> {
  const start = (): Worker =>
    new Worker(new URL('analyze-worker.ts', import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: HEAP, stackSizeMb: 1 } });
  const problems: string[] = [];
  let worker = start();
  let count = 0;
  for (; Date.now() < until && problems.length < 5; count++) {
    // Each by its own seed, so that one alone can be repeated.
    const bytes = badInput(random(seed + count));
    const wrong = await ask(worker, bytes);
    if (wrong === undefined) continue;
    const file = join(mkdtempSync(join(tmpdir(), 'fairlead-fuzz-')), 'bad.yaml');
    writeFileSync(file, bytes);
    problems.push(`seed ${seed + count}, ${bytes.length} bytes in ${file}: ${wrong}`);
    await worker.terminate();
    worker = start();
  }
  await worker.terminate();
  log(`${count} bad files analyzed, seed ${seed}`);
  return problems;
}

async function ask(worker: Worker, bytes: Buffer): Promise<string | undefined> {
  const done = new AbortController();
  const { signal } = done;
  const timer = setTimeout(() => done.abort(new Error(`no end after ${HANG_MS / 1000} s`)), HANG_MS);
  try {
    worker.postMessage(bytes);
    // `once` rejects when the worker fails, as with a full heap.
    const [answer] = (await once(worker, 'message', { signal })) as [{ wrong: string | undefined }];
    return answer.wrong;
  } catch (error) {
    return signal.aborted ? String((signal.reason as Error).message) : `the thread ended: ${(error as Error).message}`;
  } finally {
    clearTimeout(timer);
  }
}
