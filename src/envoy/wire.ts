/**
 * Renames fields between protobuf JSON's camelCase, which Fairlead computes with, and Envoy's own dump form, which keeps the names of
 * the protos (snake_case). Guided by the descriptors: keys of maps, Structs and unknown fields and types are left as they are.
 */
import { createRegistry, type DescField, type DescMessage, type Registry } from '@bufbuild/protobuf';

type Names = 'snake' | 'camel';
type JsonObject = Record<string, unknown>;

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Sets a key whatever it is called: plain assignment of `__proto__` would set the prototype. */
function put(out: JsonObject, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true });
  else out[key] = value;
}

/** Fields of a message by either of their names. */
const fieldsByName = new WeakMap<DescMessage, Map<string, DescField>>();

function fieldsOf(desc: DescMessage): Map<string, DescField> {
  let fields = fieldsByName.get(desc);
  if (fields === undefined) {
    fields = new Map();
    for (const field of desc.fields) fields.set(field.jsonName, field);
    for (const field of desc.fields) fields.set(field.name, field);
    fieldsByName.set(desc, fields);
  }
  return fields;
}

/** Messages whose JSON is not an object of their fields; wrappers, durations and the like are scalars in JSON and pass by themselves. */
const opaque: ReadonlySet<string> = new Set(['google.protobuf.Struct', 'google.protobuf.Value', 'google.protobuf.ListValue']);

function renameMessage(desc: DescMessage, json: unknown, names: Names, registry: Registry): unknown {
  if (!isObject(json) || opaque.has(desc.typeName)) return json;
  if (desc.typeName === 'google.protobuf.Any') return renameAny(json, names, registry);
  return renameFields(desc, json, names, registry);
}

function renameFields(desc: DescMessage, json: JsonObject, names: Names, registry: Registry): JsonObject {
  const fields = fieldsOf(desc);
  const out: JsonObject = {};
  for (const key of Object.keys(json)) {
    const field = fields.get(key);
    if (field === undefined) put(out, key, json[key]);
    else out[names === 'snake' ? field.name : field.jsonName] = renameValue(field, json[key], names, registry);
  }
  return out;
}

function renameValue(field: DescField, value: unknown, names: Names, registry: Registry): unknown {
  const desc = field.message;
  if (desc === undefined || typeof value !== 'object' || value === null) return value;
  if (field.fieldKind === 'list') return Array.isArray(value) ? value.map((v) => renameMessage(desc, v, names, registry)) : value;
  if (field.fieldKind === 'map') {
    const out: JsonObject = {};
    for (const key of Object.keys(value)) put(out, key, renameMessage(desc, (value as JsonObject)[key], names, registry));
    return out;
  }
  return renameMessage(desc, value, names, registry);
}

/** The message type that a type URL names: what follows its last slash. */
function typeOf(url: unknown): string {
  return typeof url === 'string' ? url.slice(url.lastIndexOf('/') + 1) : '';
}

function renameAny(json: JsonObject, names: Names, registry: Registry): JsonObject {
  const desc = registry.getMessage(typeOf(json['@type']));
  // Unknown types are left as they are. So are well-known types, whose JSON is under `value`: none of them has a field to rename.
  return desc === undefined || desc.typeName.startsWith('google.protobuf.') ? json : renameFields(desc, json, names, registry);
}

/** A converter between the two forms. Both directions take either form, and neither changes its argument. */
export interface Wire {
  readonly registry: Registry;
  /** Envoy's dump form. `type` is a message's full name (`envoy.config.cluster.v3.Cluster`) or descriptor; unknown names leave `json` as it is. */
  toSnake(type: string | DescMessage, json: unknown): unknown;
  /** Protobuf JSON with camelCase names, as Fairlead computes with it. */
  toCamel(type: string | DescMessage, json: unknown): unknown;
}

/** A converter that knows the types of `registry`. */
export function wireOf(registry: Registry): Wire {
  const rename = (type: string | DescMessage, json: unknown, names: Names): unknown => {
    const desc = typeof type === 'string' ? registry.getMessage(type) : type;
    return desc === undefined ? json : renameMessage(desc, json, names, registry);
  };
  return {
    registry,
    toSnake: (type, json) => rename(type, json, 'snake'),
    toCamel: (type, json) => rename(type, json, 'camel'),
  };
}

let loading: Promise<Wire> | undefined;

/** The converter for everything that Fairlead reads and writes. The first call imports the generated API (some 0.3 s). */
export function loadWire(): Promise<Wire> {
  loading ??= import('./api-files.ts').then(({ apiFiles }) => wireOf(createRegistry(...apiFiles())));
  return loading;
}
