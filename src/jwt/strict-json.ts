const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * An object out of JSON text; undefined when it is none. A name that stands twice in one object is an error, as for Envoy: who reads the token
 * after us may take the other value (RFC 8725 2.4).
 */
export function parseStrictObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const text = utf8.decode(bytes);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return hasRepeatedName(text) ? undefined : (value as Record<string, unknown>);
  } catch {
    return undefined;
  }
}

/** Of text that is JSON. */
function hasRepeatedName(text: string): boolean {
  const names: (Set<string> | undefined)[] = [];
  for (const [token, , colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*(:))?|[{}[\]]/g)) {
    if (token === '{') names.push(new Set());
    else if (token === '[') names.push(undefined);
    else if (token === '}' || token === ']') names.pop();
    else if (colon !== undefined) {
      const name = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)) as string;
      const known = names.at(-1)!;
      if (known.has(name)) return true;
      known.add(name);
    }
  }
  return false;
}
