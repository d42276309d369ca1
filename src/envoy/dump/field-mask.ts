/** A tree of the fields that a mask keeps; an empty node keeps everything below. */
export type FieldMask = Map<string, FieldMask>;

type JsonObject = Record<string, unknown>;

/** `active_state` → `activeState`: dumps are filtered in camelCase, masks are written with the protos' names. */
export function camelName(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Reads a protobuf field mask: paths with dots, joined by commas. Undefined when a path has an empty part. */
export function parseFieldMask(text: string): FieldMask | undefined {
  const root: FieldMask = new Map();
  for (const path of text.split(',')) {
    let node = root;
    const parts = path.trim().split('.');
    for (const [i, part] of parts.entries()) {
      if (part === '') return undefined;
      const name = camelName(part);
      const known = node.get(name);
      // A path that ends here keeps everything below, whatever longer paths say.
      if (known !== undefined && known.size === 0) break;
      const next: FieldMask = i === parts.length - 1 || known === undefined ? new Map() : known;
      node.set(name, next);
      node = next;
    }
  }
  return root;
}

/**
 * The message with nothing but what the mask names; `@type` stays. As in protobuf, a mask ends at a repeated field: what it says of
 * elements has no effect on lists, which are kept whole.
 */
export function applyFieldMask(message: unknown, mask: FieldMask): unknown {
  if (mask.size === 0 || typeof message !== 'object' || message === null || Array.isArray(message)) return message;
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(message)) {
    if (key === '@type') out[key] = value;
    const below = mask.get(key);
    if (below !== undefined) out[key] = applyFieldMask(value, below);
  }
  return out;
}
