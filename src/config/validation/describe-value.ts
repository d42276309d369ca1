/** A value as messages name it: `the string "90"`, `the number 1.5`, `a list`, short. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value === '' ? 'an empty string' : `the string ${quote(value)}`;
    case 'number':
      return `the number ${value}`;
    case 'boolean':
      return `the boolean ${value}`;
    case 'undefined':
      return 'nothing';
    default:
      if (value === null) return 'empty';
      if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
      return 'a map';
  }
}

/** Quoted, with control characters escaped, at most 60 characters. */
export function quote(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 57)}…` : text;
  return JSON.stringify(shown);
}
