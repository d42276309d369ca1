/** What many answers together must be like. */
import type { Expectation } from './case.ts';
import { originOf } from './expect-answer.ts';
import { countMismatch, shareMismatch } from './match.ts';
import type { Exchange } from './run-requests.ts';

function tally(names: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Requests that are alike in headers, path and source address. */
function alike({ sent }: Exchange): string {
  return JSON.stringify([sent.headers, sent.path, sent.source]);
}

function stickyMismatches(exchanges: readonly Exchange[]): string[] {
  const groups = Map.groupBy(exchanges, alike);
  return [...groups].flatMap(([key, group]) => {
    const origins = new Set(group.map((e) => originOf(e.answer)));
    return origins.size === 1 ? [] : [`sticky: ${key} was answered by ${[...origins].join(', ')}`];
  });
}

export function countMismatches(expected: Expectation, exchanges: readonly Exchange[]): string[] {
  const out: string[] = [];
  const origins = tally(exchanges.map((e) => originOf(e.answer) ?? 'local'));
  const statuses = tally(exchanges.map((e) => String(e.answer.status)));
  const check = (what: string, wanted: Record<string, number | string> | undefined, seen: Map<string, number>): void => {
    for (const [name, count] of Object.entries(wanted ?? {})) {
      const wrong = countMismatch(count, seen.get(name) ?? 0);
      if (wrong !== undefined) out.push(`${what} ${name}: ${wrong}`);
    }
    if (!wanted) return;
    for (const [name, count] of seen) if (!(name in wanted)) out.push(`${what} ${name}: ${count} that nobody expects`);
  };
  check('answers with', expected.statuses, statuses);
  check('answers from', expected.counts, origins);
  for (const [name, percent] of Object.entries(expected.shares ?? {})) {
    const wrong = shareMismatch(percent, origins.get(name) ?? 0, exchanges.length);
    if (wrong !== undefined) out.push(`share of ${name}: ${wrong}`);
  }
  if (expected.sticky) out.push(...stickyMismatches(exchanges));
  if (expected.distinct !== undefined) {
    const wrong = countMismatch(expected.distinct, origins.size);
    if (wrong !== undefined) out.push(`backends that answered: ${wrong}`);
  }
  return out;
}
