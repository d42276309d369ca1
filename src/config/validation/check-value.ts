import { parseDuration } from '../duration.ts';
import { describeValue, quote } from './describe-value.ts';
import type { Report } from './report.ts';
import type { SchemaNode } from './schema-node.ts';
import { fieldHint, nearest } from './suggest.ts';

/** What `checkValue` carries along. `path` and `chain` are changed in place as it goes down and up. */
export interface CheckState {
  readonly report: Report;
  readonly path: (string | number)[];
  /** The schemas above and at the place, one for each step of `path` from where the check began. */
  readonly chain: SchemaNode[];
}

/**
 * Holds a value against a schema and reports everything that is wrong. Fields that are there but null count as absent, as in
 * protobuf's JSON form and in Kubernetes, and are taken out of the value.
 */
export function checkValue(node: SchemaNode, value: unknown, state: CheckState): void {
  switch (node.type) {
    case 'object':
      if (isMap(value)) checkObject(node, value, state);
      else wrongType('a map', value, state);
      break;
    case 'array':
      if (Array.isArray(value)) checkList(node, value, state);
      else wrongType('a list', value, state);
      break;
    case 'string':
      if (typeof value === 'string') checkString(node, value, state);
      else wrongType(node.duration ? 'a duration' : 'a string', value, state);
      break;
    case 'integer':
      if (Number.isInteger(value)) checkRange(node, value as number, state);
      else wrongType('an integer', value, state);
      break;
    case 'number':
      if (Number.isFinite(value)) checkRange(node, value as number, state);
      else wrongType('a number', value, state);
      break;
    case 'boolean':
      if (typeof value !== 'boolean') wrongType('a boolean, true or false', value, state);
      break;
    case 'union':
      checkUnion(node, value, state);
      break;
    default:
      checkAnything(value, state);
  }
}

const isMap = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value);

function checkObject(node: SchemaNode, value: Record<string, unknown>, state: CheckState): void {
  const { path, chain } = state;
  chain.push(node);
  let size = 0;
  for (const key in value) {
    const field = node.properties.get(key) ?? node.values;
    const child = value[key];
    if (field === undefined) {
      if (node.closed) reportUnknown(key, state);
      continue;
    }
    if (child === null && node.properties.has(key)) {
      delete value[key];
      continue;
    }
    size++;
    path.push(key);
    if (node.keyPattern !== undefined && !node.keyPattern.test(key)) {
      state.report.error(path, 'schema/key', `the key ${quote(key)} must match ${node.keyPattern.source}`, { atKey: true });
    }
    checkValue(field, child, state);
    path.pop();
  }
  if (node.required.length > 0) checkRequired(node, value, state);
  if (node.oneOf.length > 0) checkOneOf(node, value, state);
  if (node.values !== undefined) checkSize(node, size, 'entries', state);
  chain.pop();
}

function checkRequired(node: SchemaNode, value: Record<string, unknown>, { report, path }: CheckState): void {
  for (const name of node.required) {
    if (!Object.hasOwn(value, name)) report.error(path, 'schema/required', `${place(path)} needs \`${name}\``, { atKey: true });
  }
}

function checkOneOf(node: SchemaNode, value: Record<string, unknown>, { report, path }: CheckState): void {
  for (const group of node.oneOf) {
    let first: string | undefined;
    for (const name of group) {
      if (!Object.hasOwn(value, name)) continue;
      if (first === undefined) first = name;
      else
        report.error([...path, name], 'schema/one-of', `\`${name}\` cannot be together with \`${first}\``, {
          atKey: true,
          hint: 'Keep one of the two',
        });
    }
  }
}

function checkList(node: SchemaNode, value: unknown[], state: CheckState): void {
  const { path, report } = state;
  checkSize(node, value.length, 'entries', state);
  if (node.items === undefined) return;
  for (let i = 0; i < value.length; i++) {
    path.push(i);
    if (value[i] === null && node.items.type !== 'any') {
      report.error(path, 'schema/empty-entry', `entry ${i} of ${place(path.slice(0, -1))} is empty`, { hint: 'Fill it in or remove it' });
    } else {
      checkValue(node.items, value[i], state);
    }
    path.pop();
  }
}

function checkString(node: SchemaNode, value: string, state: CheckState): void {
  if (node.choices !== undefined) checkChoice(node.choices, value, state);
  else if (node.duration !== undefined) checkDuration(node.duration.minimumMs, value, state);
  else {
    checkSize(node, value.length, 'characters', state);
    if (node.pattern === undefined || node.pattern.test(value)) return;
    state.report.error(state.path, 'schema/pattern', `${place(state.path)} must match ${node.pattern.source}, not be ${quote(value)}`);
  }
}

function checkChoice(choices: ReadonlySet<unknown>, value: string, { report, path }: CheckState): void {
  if (choices.has(value)) return;
  const names = [...choices].map(String);
  const similar = nearest(value, names);
  report.error(path, 'schema/enum', `${place(path)} cannot be ${quote(value)}`, {
    hint: `${similar === undefined ? '' : `Did you mean ${similar}? `}Possible values are ${names.join(', ')}`,
  });
}

function checkDuration(minimumMs: number, value: string, { report, path }: CheckState): void {
  const ms = parseDuration(value);
  if (ms === undefined) {
    const hint = /^-?[0-9.]+$/.test(value) ? `Add a unit: \`${value}s\`` : 'Durations are written like `1.5s`, `100ms` or `1h30m`';
    report.error(path, 'schema/duration', `${place(path)} must be a duration, not ${describeValue(value)}`, { hint });
  } else if (ms < minimumMs) {
    report.error(path, 'schema/duration', `${place(path)} must be at least ${minimumMs} ms, not ${quote(value)}`);
  } else if (minimumMs > 0 && !Number.isInteger(ms)) {
    // Istio's CRDs and its validation both refuse parts of a millisecond.
    report.error(path, 'schema/duration', `${place(path)} must be in whole milliseconds, not ${quote(value)}`);
  }
}

function checkRange(node: SchemaNode, value: number, { report, path }: CheckState): void {
  const { minimum, maximum } = node;
  const low = minimum !== undefined && value < minimum;
  if (!low && (maximum === undefined || value <= maximum)) return;
  const range = minimum === undefined ? `at most ${maximum}` : maximum === undefined ? `at least ${minimum}` : `${minimum} to ${maximum}`;
  report.error(path, 'schema/range', `${place(path)} must be ${range}, not ${value}`);
}

function checkSize(node: SchemaNode, size: number, unit: string, { report, path }: CheckState): void {
  if (node.minimum !== undefined && size < node.minimum) {
    const message =
      size === 0 ? `${place(path)} must not be empty` : `${place(path)} must have at least ${node.minimum} ${unit}, not ${size}`;
    report.error(path, 'schema/size', message);
  }
  if (node.maximum !== undefined && size > node.maximum) {
    report.error(path, 'schema/size', `${place(path)} must have at most ${node.maximum} ${unit}, not ${size}`);
  }
}

function checkUnion(node: SchemaNode, value: unknown, state: CheckState): void {
  // The alternative of the value's type says what is wrong with it best.
  const fitting = node.alternatives.find((alternative) => hasType(alternative, value));
  if (fitting !== undefined) checkValue(fitting, value, state);
  else wrongType(node.alternatives.map(({ type }) => TYPE_NAMES[type] ?? type).join(' or '), value, state);
}

const TYPE_NAMES: Partial<Record<SchemaNode['type'], string>> = {
  string: 'a string',
  integer: 'an integer',
  number: 'a number',
  boolean: 'a boolean',
  array: 'a list',
  object: 'a map',
};

function hasType(node: SchemaNode, value: unknown): boolean {
  switch (node.type) {
    case 'any':
      return true;
    case 'union':
      return node.alternatives.some((alternative) => hasType(alternative, value));
    case 'array':
      return Array.isArray(value);
    case 'object':
      return value !== null && typeof value === 'object' && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === node.type;
  }
}

/** JSON, which free-form values end up as, knows neither infinity nor NaN. */
function checkAnything(value: unknown, state: CheckState): void {
  if (typeof value === 'number' && !Number.isFinite(value)) wrongType('a finite number', value, state);
  if (value === null || typeof value !== 'object') return;
  for (const key in value) {
    state.path.push(Array.isArray(value) ? Number(key) : key);
    checkAnything((value as Record<string, unknown>)[key], state);
    state.path.pop();
  }
}

function wrongType(expected: string, value: unknown, { report, path }: CheckState): void {
  const written = report.writtenAt(path);
  report.error(path, 'schema/type', `${place(path)} must be ${expected}, not ${value === null ? 'empty' : describeValue(value)}`, {
    hint: typeHint(expected, value, written),
  });
}

function typeHint(expected: string, value: unknown, written: string | undefined): string | undefined {
  if (expected === 'a string' && (typeof value === 'number' || typeof value === 'boolean')) {
    const text = written ?? String(value);
    return `YAML reads ${text} as a ${typeof value}; quote it: "${text}"`;
  }
  if (expected === 'a duration' && typeof value === 'number') return `Add a unit: \`${written ?? value}s\``;
  if (typeof value === 'string') {
    if (expected.endsWith('number') || expected.endsWith('integer')) {
      if (/^-?[0-9]+(\.[0-9]+)?$/.test(value)) return `Remove the quotes: \`${value}\``;
    } else if (expected.startsWith('a boolean') && /^(true|false|yes|no|on|off|y|n)$/i.test(value))
      return `Remove the quotes: \`${value}\``;
  }
  if (expected === 'a list' && value !== null && typeof value !== 'boolean') return 'Put `- ` before each entry';
  if (expected === 'a map' && Array.isArray(value)) return 'Remove the `- `: there is only one';
  return undefined;
}

function reportUnknown(key: string, { report, path, chain }: CheckState): void {
  const names = path.slice(path.length - chain.length + 1);
  report.error([...path, key], 'schema/unknown-field', `there is no field \`${key}\` in ${place(path)}`, {
    atKey: true,
    hint: fieldHint(key, chain, names),
  });
}

/** The field as messages name it: its own name, or that of the list an entry is in. */
export function place(path: readonly (string | number)[]): string {
  let i = path.length - 1;
  while (i >= 0 && typeof path[i] === 'number') i--;
  if (i < 0) return 'the document';
  return i === path.length - 1 ? `\`${path[i]}\`` : `entry ${path.slice(i + 1).join('.')} of \`${path[i]}\``;
}
