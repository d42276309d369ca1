/** Everything around a step that expectations may ask about: what reached the backends, what was logged, which statistics moved. */
import type { LogReader } from './access-log.ts';
import type { Arrival, Backend } from './backends/types.ts';
import type { CountMatch, Expectation } from './case.ts';
import type { ContractEngine } from './engines/types.ts';
import { answerMismatches, arrivalMismatches } from './expect-answer.ts';
import { countMismatches } from './expect-counts.ts';
import { countMismatch, textMismatch } from './match.ts';
import type { Exchange } from './run-requests.ts';

export interface Witness {
  /** Forgets what came so far: a step begins. */
  begin(): void;
  arrived(): Arrival[];
  statMismatches(wanted: Record<string, CountMatch>, proxy: string): Promise<string[]>;
  /** What is not as expected; of what may come late, after waiting for it as long as `patience` (milliseconds). */
  mismatches(expected: Expectation, exchanges: readonly Exchange[], proxy: string, port: number, patience: number): Promise<string[]>;
}

/** Repeats until nothing is amiss; then, or when time is over, what still is. */
export async function settle(patience: number, amiss: () => Promise<string[]> | string[]): Promise<string[]> {
  const end = Date.now() + patience;
  for (;;) {
    const found = await amiss();
    if (found.length === 0 || Date.now() > end) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** @param proxies those whose statistics expectations ask about: changes are counted from now on */
export async function createWitness(
  engine: ContractEngine,
  log: LogReader,
  backends: ReadonlyMap<string, Backend>,
  proxies: Iterable<string>,
): Promise<Witness> {
  const before = new Map<string, ReadonlyMap<string, number>>();
  for (const name of proxies) before.set(name, await engine.stats(name));
  const marks = new Map<string, number>();
  const arrived = (): Arrival[] => [...backends].flatMap(([name, b]) => b.arrivals.slice(marks.get(name) ?? 0));

  function recordMismatches(wanted: NonNullable<Expectation['record']>, port: number): string[] {
    const last = log.read().findLast((r) => Number(r['listener']) === port);
    if (last === undefined) return [`record: none was written by the listener of ${port}`];
    return Object.entries(wanted).flatMap(([name, value]) => {
      const seen = last[name];
      const wrong = textMismatch(value, seen === null || seen === undefined ? undefined : String(seen));
      return wrong === undefined ? [] : [`record ${name}: ${wrong}`];
    });
  }

  function arrivalCountMismatches(wanted: NonNullable<Expectation['arrivals']>): string[] {
    return Object.entries(wanted).flatMap(([name, count]) => {
      const wrong = countMismatch(count, arrived().filter((a) => a.backend === name).length);
      return wrong === undefined ? [] : [`arrivals at ${name}: ${wrong}`];
    });
  }

  async function statMismatches(wanted: Record<string, CountMatch>, proxy: string): Promise<string[]> {
    const now = await engine.stats(proxy);
    return Object.entries(wanted).flatMap(([name, count]) => {
      const wrong = countMismatch(count, (now.get(name) ?? 0) - (before.get(proxy)?.get(name) ?? 0));
      return wrong === undefined ? [] : [`${name}: ${wrong}`];
    });
  }

  return {
    arrived,
    statMismatches,
    begin() {
      for (const [name, backend] of backends) marks.set(name, backend.arrivals.length);
      log.skip();
    },
    async mismatches(expected, exchanges, proxy, port, patience) {
      const out = [...new Set(exchanges.flatMap((e) => answerMismatches(expected, e.answer)))];
      out.push(...countMismatches(expected, exchanges));
      const { local, upstream, arrivals, record, records = {}, stats } = expected;
      if (local && arrivals === undefined && arrived().length > 0) out.push(`local: ${arrived()[0]!.backend} heard of it`);
      const late = async (amiss: () => Promise<string[]> | string[]): Promise<void> => void out.push(...(await settle(patience, amiss)));
      if (upstream) {
        const wanted = (a: Arrival): boolean => a.backend === (upstream.backend ?? a.backend);
        await late(() => arrivalMismatches(upstream, arrived().findLast(wanted)));
      }
      if (arrivals) await late(() => arrivalCountMismatches(arrivals));
      if (record) await late(() => recordMismatches(record, port));
      for (const [other, fields] of Object.entries(records)) await late(() => recordMismatches(fields, Number(other)));
      if (stats) await late(() => statMismatches(stats, proxy));
      return out;
    },
  };
}
