/** A list as `JSON.stringify(list, null, 2)` writes it, some items at a time. `indent`: of the line that it begins in. */
export function* jsonList<T>(items: readonly T[], jsonOf: (item: T) => object, indent: string): Generator<string, void> {
  if (items.length === 0) return yield '[]';
  for (let start = 0; start < items.length; start += TOGETHER) {
    // With the brackets of a list around it, of which only the first is wanted, and the line break before the last.
    const text = JSON.stringify(items.slice(start, start + TOGETHER).map(jsonOf), null, 2).slice(0, -2);
    const piece = start === 0 ? text : `,${text.slice(1)}`;
    // Line breaks of strings are escaped: each one here is of the layout.
    yield indent === '' ? piece : piece.replaceAll('\n', `\n${indent}`);
  }
  yield `\n${indent}]`;
}

/** Items that are written at a time. */
const TOGETHER = 64;
