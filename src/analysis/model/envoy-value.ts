import { type DescField, type DescMessage, type Registry, ScalarType } from '@bufbuild/protobuf';
import type { FieldPath } from '../../config/resource.ts';

/** Where a value does not fit its type, and why. */
export interface ValueProblem {
  readonly severity: 'error' | 'warning';
  readonly at: FieldPath;
  readonly message: string;
}

type Found = (problem: ValueProblem) => void;
type JsonObject = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is JsonObject => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Types whose JSON is anything, or one scalar: https://protobuf.dev/programming-guides/json/. */
const FREE = new Set(['google.protobuf.Struct', 'google.protobuf.Value', 'google.protobuf.ListValue']);
const TEXTS = new Set(['google.protobuf.Duration', 'google.protobuf.Timestamp', 'google.protobuf.FieldMask']);
const OLD_API = /^(?:envoy\.api\.v2\.|envoy\.config\.(?:filter|[a-z_]+)\.[a-z_.]*v2(?:alpha\d?)?\.)/;

/** Holds protobuf JSON against a message type, by either form of the field names. What is in an Any of an unknown type passes. */
export function checkEnvoyValue(desc: DescMessage, value: unknown, at: FieldPath, registry: Registry, found: Found): void {
  const { typeName } = desc;
  if (FREE.has(typeName)) return;
  if (TEXTS.has(typeName)) {
    if (typeof value !== 'string') found({ severity: 'error', at, message: `${nameOf(at)} must be a string` });
  } else if (isWrapper(desc)) checkField(desc.fields[0]!, value, at, registry, found);
  else if (!isObject(value)) found({ severity: 'error', at, message: `${nameOf(at)} must be a map: ${typeName}` });
  else if (typeName === 'google.protobuf.Any') checkAny(value, at, registry, found);
  else checkFields(desc, value, at, registry, found);
}

const isWrapper = ({ typeName }: DescMessage): boolean => /^google\.protobuf\.\w+Value$/.test(typeName) && !FREE.has(typeName);

const nameOf = (at: FieldPath): string => `\`${at.findLast((part) => typeof part === 'string') ?? ''}\``;

function checkAny(value: JsonObject, at: FieldPath, registry: Registry, found: Found): void {
  const url = value['@type'];
  if (typeof url !== 'string') {
    found({ severity: 'error', at, message: `${nameOf(at)} needs \`@type\`` });
    return;
  }
  const name = url.slice(url.lastIndexOf('/') + 1);
  const desc = registry.getMessage(name);
  if (desc !== undefined) {
    if (!desc.typeName.startsWith('google.protobuf.')) checkFields(desc, value, at, registry, found);
  } else if (OLD_API.test(name)) {
    found({ severity: 'error', at: [...at, '@type'], message: `${name} is of Envoy's API v2, which proxies no longer have` });
  }
}

function checkFields(desc: DescMessage, value: JsonObject, at: FieldPath, registry: Registry, found: Found): void {
  for (const key of Object.keys(value)) {
    if (key === '@type' || value[key] === null) continue;
    const field = desc.fields.find(({ name, jsonName }) => name === key || jsonName === key);
    if (field === undefined) found({ severity: 'warning', at: [...at, key], message: `${desc.typeName} has no field \`${key}\`` });
    else checkField(field, value[key], [...at, key], registry, found);
  }
}

function checkField(field: DescField, value: unknown, at: FieldPath, registry: Registry, found: Found): void {
  if (field.fieldKind === 'list') {
    if (!Array.isArray(value)) found({ severity: 'error', at, message: `${nameOf(at)} must be a list` });
    else for (const [i, item] of value.entries()) checkSingle(field, item, [...at, i], registry, found);
  } else if (field.fieldKind === 'map') {
    if (!isObject(value)) found({ severity: 'error', at, message: `${nameOf(at)} must be a map` });
    else for (const key of Object.keys(value)) checkSingle(field, value[key], [...at, key], registry, found);
  } else checkSingle(field, value, at, registry, found);
}

function checkSingle(field: DescField, value: unknown, at: FieldPath, registry: Registry, found: Found): void {
  if (field.message !== undefined) {
    checkEnvoyValue(field.message, value, at, registry, found);
    return;
  }
  if (field.enum !== undefined) {
    const known = typeof value === 'number' || field.enum.values.some(({ name }) => name === value);
    if (!known) found({ severity: 'error', at, message: `${nameOf(at)} cannot be ${JSON.stringify(value)}` });
    return;
  }
  const problem = scalarProblem(field.scalar, value);
  if (problem !== undefined) found({ severity: 'error', at, message: `${nameOf(at)} must be ${problem}, not ${JSON.stringify(value)}` });
}

function scalarProblem(scalar: ScalarType | undefined, value: unknown): string | undefined {
  switch (scalar) {
    case ScalarType.BOOL:
      return typeof value === 'boolean' ? undefined : 'true or false';
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return typeof value === 'string' ? undefined : 'a string';
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return typeof value === 'number' || (typeof value === 'string' && value !== '' && !Number.isNaN(Number(value)))
        ? undefined
        : 'a number';
    default:
      return Number.isInteger(typeof value === 'string' && value !== '' ? Number(value) : value) ? undefined : 'an integer';
  }
}
