import { isEqual, type Value } from './equal.ts';

/** What becomes of the items of a list, in order of the new list; removed ones stand where they were. */
export type Step = { kind: 'keep' | 'change'; from: number; to: number } | { kind: 'remove'; from: number } | { kind: 'add'; to: number };

/**
 * The fewest changes that make one list of the other: a longest common subsequence stays as it is; between its items old ones become
 * new ones as long as there are both, and the rest goes or comes.
 */
export function align(before: readonly Value[], after: readonly Value[]): Step[] {
  const steps: Step[] = [];
  let from = 0;
  let to = 0;
  for (const [i, j] of [...common(before, after), [before.length, after.length] as const]) {
    while (from < i && to < j) steps.push({ kind: 'change', from: from++, to: to++ });
    while (from < i) steps.push({ kind: 'remove', from: from++ });
    while (to < j) steps.push({ kind: 'add', to: to++ });
    if (i < before.length) steps.push({ kind: 'keep', from: from++, to: to++ });
  }
  return steps;
}

/** Pairs of indices of a longest common subsequence. */
function common(before: readonly Value[], after: readonly Value[]): (readonly [number, number])[] {
  // Most edits leave both ends alone; the table is only as large as what is between them.
  let head = 0;
  while (head < before.length && head < after.length && isEqual(before[head], after[head])) head++;
  let tail = 0;
  const limit = Math.min(before.length, after.length) - head;
  while (tail < limit && isEqual(before[before.length - 1 - tail], after[after.length - 1 - tail])) tail++;
  const rows = before.length - head - tail;
  const columns = after.length - head - tail;
  const width = columns + 1;
  const longest = new Uint32Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      const same = isEqual(before[head + i], after[head + j]);
      longest[i * width + j] = same
        ? longest[(i + 1) * width + j + 1]! + 1
        : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
    }
  }
  const pairs: (readonly [number, number])[] = Array.from({ length: head }, (_, i) => [i, i] as const);
  for (let i = 0, j = 0; i < rows && j < columns; ) {
    if (isEqual(before[head + i], after[head + j])) pairs.push([head + i++, head + j++]);
    else if (longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!) i++;
    else j++;
  }
  for (let k = 0; k < tail; k++) pairs.push([before.length - tail + k, after.length - tail + k]);
  return pairs;
}
