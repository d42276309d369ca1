/** A list as `JSON.stringify(list, null, 2)` writes it, item by item. `indent`: of the line that it begins in. */
export function* jsonList<T>(items: readonly T[], jsonOf: (item: T) => object, indent: string): Generator<string, void> {
  if (items.length === 0) return yield '[]';
  let before = '[';
  for (const item of items) {
    // Line breaks of strings are escaped: each one here is of the layout.
    yield `${before}\n${JSON.stringify(jsonOf(item), null, 2)}`.replaceAll('\n', `\n${indent}  `);
    before = ',';
  }
  yield `\n${indent}]`;
}
