import { constructFromEvents, parseEvents, YAMLException } from 'js-yaml';
import { type PlainMaker, readPlainDocument } from './plain-document.ts';
import { resolveScalar, STRING } from './resolve-scalar.ts';
import { KUBERNETES_SCHEMA } from './schema.ts';

/** Collections inside collections: deeper is refused. Kubernetes' own types stay below 40. */
export const MAX_DEPTH = 100;
/** Aliases (`*name`) in one document. */
const MAX_ALIASES = 10_000;
/** Values in one document when every alias is written out: what a reader of the result may have to walk. */
const MAX_EXPANDED_VALUES = 2_000_000;

/** Why a document could not be read. `offset` counts UTF-16 units from the document's start. */
export interface ParseFailure {
  reason: string;
  offset: number;
  /** `limit`: the document is well formed but too deep, or its aliases blow it up. */
  rule: 'yaml/syntax' | 'yaml/limit';
}

export type ParseOutcome = { ok: true; value: unknown } | { ok: false; failure: ParseFailure };

/**
 * The value of one document. Maps are plain objects whose keys are own properties (`__proto__` too); aliases share their target.
 * Never throws.
 */
export function parseDocument(text: string): ParseOutcome {
  const value = readPlainDocument<unknown, Record<string, unknown>, unknown[]>(text, VALUES);
  return value === undefined ? parseAnyDocument(text) : { ok: true, value };
}

const VALUES: PlainMaker<unknown, Record<string, unknown>, unknown[]> = {
  plain(text, start, end) {
    const written = text.slice(start, end);
    const value = resolveScalar(written);
    return value === STRING ? written : value;
  },
  quoted: (text, start, end) => text.slice(start + 1, end - 1),
  empty: () => null,
  map: () => ({}),
  put(map, name, _keyStart, _keyEnd, value) {
    if (Object.hasOwn(map, name)) return false;
    map[name] = value;
    return true;
  },
  list: () => [],
  push: (list, value) => void list.push(value),
};

/** As `parseDocument`, however the document is written. Exported for the test that holds the two to each other. */
export function parseAnyDocument(text: string): ParseOutcome {
  try {
    const events = parseEvents(text, { maxDepth: MAX_DEPTH });
    const documents = constructFromEvents(events, { source: text, schema: KUBERNETES_SCHEMA, maxAliases: MAX_ALIASES });
    if (documents.length > 1) return failed('one document is followed by another without a `---` line between them', 0);
    const value = documents.length === 0 ? null : documents[0];
    // Sharing needs an alias, and an alias an asterisk.
    if (text.includes('*')) {
      const blown = expansionProblem(value);
      if (blown !== undefined) return failed(blown, 0, 'yaml/limit');
    }
    return { ok: true, value };
  } catch (error) {
    if (error instanceof YAMLException) {
      const limit = /exceeded|abnormal merge/.test(error.reason);
      return failed(limit ? explainLimit(error.reason) : error.reason, error.mark?.position ?? 0, limit ? 'yaml/limit' : 'yaml/syntax');
    }
    if (error instanceof RangeError) return failed(`the document is nested more than ${MAX_DEPTH} levels deep`, 0, 'yaml/limit');
    // js-yaml's documentation: anything may be thrown for hostile input, not only its own exception.
    return failed(error instanceof Error ? error.message : String(error), 0);
  }
}

function failed(reason: string, offset: number, rule: ParseFailure['rule'] = 'yaml/syntax'): ParseOutcome {
  return { ok: false, failure: { reason, offset, rule } };
}

function explainLimit(reason: string): string {
  if (reason.includes('maxDepth')) return `the document is nested more than ${MAX_DEPTH} levels deep`;
  if (reason.includes('maxAliases')) return `the document has more than ${MAX_ALIASES} aliases`;
  return 'the document merges too many keys with `<<`';
}

/** Counts values as a reader without memory would meet them; finds maps and lists that hold themselves. */
function expansionProblem(root: unknown): string | undefined {
  const sizes = new Map<object, number>();
  const open = new Set<object>();
  let cyclic = false;
  const sizeOf = (value: unknown): number => {
    if (value === null || typeof value !== 'object') return 1;
    const known = sizes.get(value);
    if (known !== undefined) return known;
    if (open.has(value)) {
      cyclic = true;
      return 0;
    }
    open.add(value);
    let size = 1;
    for (const child of Array.isArray(value) ? value : Object.values(value)) {
      size += sizeOf(child);
      if (cyclic || size > MAX_EXPANDED_VALUES) break;
    }
    open.delete(value);
    sizes.set(value, size);
    return size;
  };
  const size = sizeOf(root);
  if (cyclic) return 'an alias stands inside the value that it names, so the value would have no end';
  if (size > MAX_EXPANDED_VALUES) return `the document has more than ${MAX_EXPANDED_VALUES} values when its aliases are written out`;
  return undefined;
}
