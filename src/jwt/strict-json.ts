const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Envoy's: so many objects and lists, one in the other. */
const DEEPEST = 100;

/**
 * An object out of JSON text; undefined when it is none. As for Envoy, these are errors: a name that stands twice in one object, since who reads
 * the token after us may take the other value (RFC 8725 2.4); numbers too large for a double; half a surrogate pair; too deep a nesting.
 */
export function parseStrictObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const text = utf8.decode(bytes);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return isStrict(text) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Of text that is JSON. */
function isStrict(text: string): boolean {
  const names: (Set<string> | undefined)[] = [];
  for (const [token, string, colon] of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]|[-+.\deE]{3,}/g)) {
    if (token === '{') names.push(new Set());
    else if (token === '[') names.push(undefined);
    else if (token === '}' || token === ']') names.pop();
    else if (string === undefined) {
      if (!Number.isFinite(Number(token))) return false;
    } else if (colon !== undefined || string.includes('\\u')) {
      const value = JSON.parse(string) as string;
      if (!value.isWellFormed()) return false;
      if (colon === undefined) continue;
      const known = names.at(-1)!;
      if (known.has(value)) return false;
      known.add(value);
    }
    if (names.length > DEEPEST) return false;
  }
  return true;
}
