import { defineMappingTag, defineScalarTag, mergeTag, NOT_RESOLVED, Schema, seqTag, strTag } from 'js-yaml';
import { resolveScalar } from './resolve-scalar.ts';

const digits = [...'0123456789'];

const nullTag = defineScalarTag<null>('tag:yaml.org,2002:null', {
  implicit: true,
  implicitFirstChars: ['', '~', 'n', 'N'],
  resolve: (text) => (resolveScalar(text) === null ? null : NOT_RESOLVED),
  identify: () => false,
});

const boolTag = defineScalarTag<boolean>('tag:yaml.org,2002:bool', {
  implicit: true,
  implicitFirstChars: [...'yYnNtTfFoO'],
  resolve(text) {
    const value = resolveScalar(text);
    return typeof value === 'boolean' ? value : NOT_RESOLVED;
  },
  identify: () => false,
});

function resolveNumber(text: string): number | typeof NOT_RESOLVED {
  const value = resolveScalar(text);
  return typeof value === 'number' ? value : NOT_RESOLVED;
}

/** Reads integers as well: JavaScript has one type of number. */
const floatTag = defineScalarTag<number>('tag:yaml.org,2002:float', {
  implicit: true,
  implicitFirstChars: ['+', '-', '.', ...digits],
  resolve: resolveNumber,
  identify: () => false,
});

const intTag = defineScalarTag<number>('tag:yaml.org,2002:int', {
  resolve(text) {
    const value = resolveNumber(text);
    return Number.isInteger(value) ? value : NOT_RESOLVED;
  },
  identify: () => false,
});

/** go-yaml hands timestamps out as the strings they are. */
const timestampTag = defineScalarTag<string>('tag:yaml.org,2002:timestamp', { resolve: (text) => text, identify: () => false });

/** The property name of a key: JSON has no others than strings. Null keys and collections as keys are refused, as kubectl does. */
export function keyText(key: unknown): string | undefined {
  if (typeof key === 'string') return key;
  return typeof key === 'number' || typeof key === 'boolean' ? String(key) : undefined;
}

const mapTag = defineMappingTag<Record<string, unknown>>('tag:yaml.org,2002:map', {
  create: () => ({}),
  addPair(map, key, value) {
    const name = keyText(key);
    if (name === undefined) return key === null ? 'a key must not be empty' : 'a key must be a plain value, not a list or a map';
    // Plain assignment would set the prototype.
    if (name === '__proto__') Object.defineProperty(map, name, { value, enumerable: true, configurable: true, writable: true });
    else map[name] = value;
    return '';
  },
  has(map, key) {
    const name = keyText(key);
    return name !== undefined && Object.hasOwn(map, name);
  },
  keys: (map) => Object.keys(map),
  get: (map, key) => map[key as string],
  identify: () => false,
});

/** Reads YAML as kubectl does; tags beyond YAML's own simple ones (`!!binary`, `!!set`, `!custom`) are errors. */
export const KUBERNETES_SCHEMA = new Schema([strTag, nullTag, boolTag, floatTag, intTag, timestampTag, mergeTag, mapTag, seqTag]);
