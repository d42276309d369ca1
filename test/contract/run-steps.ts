import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { until } from '../support/http.ts';
import type { LogReader, LogRecord } from './access-log.ts';
import type { Arrival, Backend } from './backends/types.ts';
import type { CountMatch, Expectation, Step } from './case.ts';
import type { ContractEngine } from './engines/types.ts';
import { answerMismatches, arrivalMismatches } from './expect-answer.ts';
import { countMismatches } from './expect-counts.ts';
import { countMismatch, textMismatch } from './match.ts';
import { CLIENT } from './mesh-of-case.ts';
import { type Exchange, runRequests } from './run-requests.ts';

export interface Running {
  engine: ContractEngine;
  log: LogReader;
  snapshots: ReadonlyMap<string, Snapshot>;
  backends: ReadonlyMap<string, Backend>;
}

/** How long records, statistics and mirrored requests may take to come in. */
const LATE_MS = 5000;

/** Waits until nothing is amiss any more; what still is when time is over. */
async function settle(amiss: () => Promise<string[]> | string[]): Promise<string[]> {
  let found: string[] = [];
  await until(
    '',
    async () => {
      found = await amiss();
      return found.length === 0;
    },
    LATE_MS,
  ).catch(() => undefined);
  return found;
}

/** Throws an error that says every expectation that was not met. */
export async function runSteps(steps: readonly Step[], running: Running): Promise<void> {
  const { engine, log, snapshots, backends } = running;
  const usesStats = steps.some((s) => s.expect?.stats ?? s.finish?.stats ?? s.wait);
  const before = new Map<string, ReadonlyMap<string, number>>();
  if (usesStats) for (const name of snapshots.keys()) before.set(name, await engine.stats(name));
  const background: Promise<Exchange[]>[] = [];
  const marks = new Map<string, number>();
  const arrived = (): Arrival[] => [...backends].flatMap(([name, b]) => b.arrivals.slice(marks.get(name) ?? 0));

  async function statMismatches(wanted: Record<string, CountMatch>, from: string): Promise<string[]> {
    const now = await engine.stats(from);
    return Object.entries(wanted).flatMap(([name, count]) => {
      const wrong = countMismatch(count, (now.get(name) ?? 0) - (before.get(from)?.get(name) ?? 0));
      return wrong === undefined ? [] : [`${name}: ${wrong}`];
    });
  }

  function recordMismatches(wanted: NonNullable<Expectation['record']>, port: number): string[] {
    const records = log.read().filter((r: LogRecord) => Number(r['listener']) === port);
    const last = records.at(-1);
    if (last === undefined) return ['record: none was written'];
    return Object.entries(wanted).flatMap(([name, value]) => {
      const seen = last[name];
      const wrong = textMismatch(value, seen === null || seen === undefined ? undefined : String(seen));
      return wrong === undefined ? [] : [`record ${name}: ${wrong}`];
    });
  }

  async function mismatches(expected: Expectation, exchanges: readonly Exchange[], from: string, port: number): Promise<string[]> {
    const one = [...new Set(exchanges.flatMap((e) => answerMismatches(expected, e.answer)))];
    const out = [...one, ...countMismatches(expected, exchanges)];
    const { local, upstream, arrivals, record, stats } = expected;
    if (local && arrivals === undefined && arrived().length > 0) out.push(`local: ${arrived()[0]!.backend} heard of it`);
    if (upstream)
      out.push(
        ...(await settle(() =>
          arrivalMismatches(
            upstream,
            arrived().findLast((a) => a.backend === (upstream.backend ?? a.backend)),
          ),
        )),
      );
    if (arrivals)
      out.push(
        ...(await settle(() =>
          Object.entries(arrivals).flatMap(([name, count]) => {
            const wrong = countMismatch(count, arrived().filter((a) => a.backend === name).length);
            return wrong === undefined ? [] : [`arrivals at ${name}: ${wrong}`];
          }),
        )),
      );
    if (record) out.push(...(await settle(() => recordMismatches(record, port))));
    if (stats) out.push(...(await settle(() => statMismatches(stats, from))));
    return out;
  }

  async function runStep(step: Step): Promise<string[]> {
    const { url, send, from = to(step), background: later, expect, release, change, wait, pass, finish } = step;
    if (change) backends.get(change.backend)!.reply = change.reply;
    if (release) backends.get(release)!.release();
    if (pass) await new Promise((r) => setTimeout(r, pass));
    if (wait) {
      const wrong = await settle(() => statMismatches(wait.stats, wait.from ?? from));
      if (wrong.length > 0) return wrong;
    }
    const port = step.to === undefined ? httpProxyPort(from) : Number(step.to);
    if (url !== undefined || send !== undefined) {
      for (const [name, backend] of backends) marks.set(name, backend.arrivals.length);
      log.skip();
      const exchanges = runRequests(step, port);
      if (!later) return mismatches(expect ?? {}, await exchanges, from, port);
      background.push(exchanges);
      await until('a backend has the request', () => arrived().length >= (step.times ?? 1), LATE_MS);
    }
    if (finish) return mismatches(finish, (await Promise.all(background.splice(0))).flat(), from, port);
    return [];
  }

  /** Whose statistics a step is about: with a port of its own it is the case's first proxy. */
  const to = (step: Step): string => (step.to !== undefined || !snapshots.has(CLIENT) ? ([...snapshots.keys()][0] ?? CLIENT) : CLIENT);
  const httpProxyPort = (name: string): number => snapshots.get(name)?.proxy.httpProxyPort ?? 0;

  try {
    for (const [i, step] of steps.entries()) {
      const wrong = await runStep(step);
      if (wrong.length > 0) throw new Error(`step ${i + 1}: ${wrong.join('\n  ')}`);
    }
  } finally {
    for (const b of backends.values()) b.release();
    await Promise.allSettled(background);
  }
}
