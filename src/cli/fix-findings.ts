/** Mechanical fixes of findings: planned on the texts, tried by analyzing what would come out, and only then handed on for writing. */
import type { Finding, FixEdit } from '../analysis/finding.ts';
import { formatPath, originOf } from '../config/resource.ts';
import { applyEdits } from '../edit/apply-edits.ts';
import type { FileChange } from '../edit/draft.ts';
import { isEqual } from '../edit/equal.ts';
import { FairleadError } from '../errors.ts';

/** Fixes that cannot be made together wait for the next round; each costs an analysis. */
const ROUNDS = 50;

/** What an analysis of the files, with some of them changed, finds. */
export interface Look<Loaded> {
  readonly loaded: Loaded;
  /** Of all objects; a change that brings anything new is not made. */
  readonly all: readonly Finding[];
  /** Those of `all` that are to be fixed. */
  readonly chosen: readonly Finding[];
}

/** A plan of fixes: nothing has been written. */
export interface FixPlan<Loaded> {
  readonly changes: readonly FileChange[];
  readonly fixed: readonly Finding[];
  /** Findings with a fix that was not made. */
  readonly left: readonly { readonly finding: Finding; readonly why: string }[];
  /** How it is after the changes. */
  readonly after: Look<Loaded>;
}

/**
 * Plans the fixes of the chosen findings. After each round everything is analyzed again: a fix that does not remove its finding, or that
 * brings one that was not there before, is not made. When a round of many fails, those in question are tried one by one.
 */
export async function planFixes<Loaded>(look: (changes: readonly FileChange[]) => Promise<Look<Loaded>>): Promise<FixPlan<Loaded>> {
  let changes: readonly FileChange[] = [];
  let state = await look(changes);
  const fixed: Finding[] = [];
  const left = new Map<string, { finding: Finding; why: string }>();
  const single = new Set<string>();
  for (let round = 0; ; round++) {
    const todo = state.chosen.filter(({ fix, fingerprint }) => fix !== undefined && !left.has(fingerprint));
    const together = todo.filter(({ fingerprint }) => !single.has(fingerprint));
    if (todo.length === 0) break;
    if (round >= ROUNDS) {
      for (const finding of todo) left.set(finding.fingerprint, { finding, why: 'it is in the way of others: run --fix again' });
      break;
    }
    const { drafted, made, refused } = draftFixes(together.length > 0 ? together : todo.slice(0, 1));
    for (const { finding, why } of refused) left.set(finding.fingerprint, { finding, why });
    if (made.length === 0) continue;
    const next = merged(changes, drafted);
    const after = await look(next);
    const fresh = newOnes(state.all, after.all);
    const still = new Set(after.all.map(({ fingerprint }) => fingerprint));
    const idle = made.filter(({ fingerprint }) => still.has(fingerprint));
    if (fresh.length === 0 && idle.length === 0) {
      [changes, state] = [next, after];
      fixed.push(...made);
      continue;
    }
    const origins = new Set(fresh.map(({ origin }) => origin));
    const named = made.filter(({ origin, fingerprint }) => origins.has(origin) || still.has(fingerprint));
    const guilty = named.length > 0 ? named : made;
    const [first] = fresh;
    const why = first === undefined ? 'it would still be found' : `it would bring ${first.code}: ${first.message}`;
    if (guilty.length === 1) left.set(guilty[0]!.fingerprint, { finding: guilty[0]!, why });
    else for (const { fingerprint } of guilty) single.add(fingerprint);
  }
  return { changes, fixed, left: [...left.values()], after: state };
}

/** Findings of a code on a field that had fewer of them before. What is said of a field may change with its value. */
function newOnes(before: readonly Finding[], after: readonly Finding[]): Finding[] {
  const keyOf = ({ code, origin, path }: Finding): string => `${code} ${origin} ${path.replace(/\[\d+\]/g, '[]')}`;
  const counts = new Map<string, number>();
  for (const finding of before) counts.set(keyOf(finding), (counts.get(keyOf(finding)) ?? 0) + 1);
  return after.filter((finding) => {
    const count = counts.get(keyOf(finding)) ?? 0;
    counts.set(keyOf(finding), count - 1);
    return count <= 0;
  });
}

interface Drafted {
  readonly drafted: readonly FileChange[];
  readonly made: readonly Finding[];
  readonly refused: readonly { finding: Finding; why: string }[];
}

/** Fixes that do not touch each other's fields, as changes of files. */
function draftFixes(findings: readonly Finding[]): Drafted {
  const edits = new Map<string, FixEdit[]>();
  const made: Finding[] = [];
  const keys = findings.some(renames);
  for (const finding of findings) {
    if (renames(finding) !== keys) continue;
    const own = finding.fix!.edits;
    const keyOf = ({ resource }: FixEdit): string => `${resource.source.file} ${originOf(resource)}`;
    if (own.some((edit) => (edits.get(keyOf(edit)) ?? []).some((other) => collide(edit, other)))) continue;
    for (const edit of own) edits.set(keyOf(edit), [...(edits.get(keyOf(edit)) ?? []), edit]);
    made.push(finding);
  }
  try {
    return { drafted: changesOf(made), made, refused: [] };
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
  // Somewhere it cannot be done (anchors, standard input): found out one by one.
  const refused: { finding: Finding; why: string }[] = [];
  const good = made.filter((finding) => {
    try {
      changesOf([finding]);
      return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused.push({ finding, why: error.message });
      return false;
    }
  });
  try {
    return { drafted: changesOf(good), made: good, refused };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { drafted: [], made: [], refused: [...refused, ...good.map((finding) => ({ finding, why: error.message }))] };
  }
}

const isRefusal = (error: unknown): error is FairleadError => error instanceof FairleadError && error.code === 'E_EDIT_REFUSED';

/** Keys are renamed in the text itself, so that comments stay; what is set comes in another round. */
const renames = ({ fix }: Finding): boolean => fix!.edits.some((edit) => 'key' in edit);

const changesOf = (findings: readonly Finding[]): FileChange[] => applyEdits(findings.flatMap(({ fix }) => fix!.edits));

/** One is inside of the other; the very same change is none too many. */
function collide(a: FixEdit, b: FixEdit): boolean {
  const [x, y] = [formatPath(a.path), formatPath(b.path)];
  if ('key' in a || 'key' in b) return x === y;
  if (x === y) return !isEqual(a.value, b.value);
  const inside = (outer: string, inner: string): boolean => inner.startsWith(outer) && /^[.[]/.test(inner.slice(outer.length));
  return inside(x, y) || inside(y, x);
}

/** Changes on top of changes, from the texts that are on the disk. */
function merged(before: readonly FileChange[], more: readonly FileChange[]): FileChange[] {
  const byFile = new Map(before.map((change) => [change.file, change]));
  for (const change of more)
    byFile.set(change.file, { ...change, before: byFile.has(change.file) ? byFile.get(change.file)!.before : change.before });
  return [...byFile.values()];
}
