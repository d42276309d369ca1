/** JSON with the keys of maps in order, so that equal values give equal texts. Empty maps and lists count as absent, as in protobuf. */
export function canonicalText(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  let parts = '';
  for (const key of Object.keys(value).sort()) {
    const text = canonicalText((value as Record<string, unknown>)[key]);
    if (text !== '[]') parts += `${parts === '' ? '' : ','}${JSON.stringify(key)}:${text}`;
  }
  return `{${parts}}`;
}
