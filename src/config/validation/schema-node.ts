import type { TSchema } from 'typebox';
import { parseDuration } from '../duration.ts';

/** A schema, prepared for checking many values. */
export interface SchemaNode {
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object' | 'union' | 'any';
  /** Objects: declared fields. */
  readonly properties: ReadonlyMap<string, SchemaNode>;
  readonly required: readonly string[];
  /** Groups of fields of which at most one may be set. */
  readonly oneOf: readonly (readonly string[])[];
  /** Objects: fields that are not declared are refused. */
  readonly closed: boolean;
  /** Objects: what undeclared fields hold, for maps. */
  readonly values: SchemaNode | undefined;
  readonly keyPattern: RegExp | undefined;
  readonly items: SchemaNode | undefined;
  readonly alternatives: readonly SchemaNode[];
  readonly choices: ReadonlySet<unknown> | undefined;
  /** Of numbers their value, of strings their length, of lists and maps their size. */
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  readonly pattern: RegExp | undefined;
  readonly duration: { readonly minimumMs: number } | undefined;
}

/** What JSON Schema and Fairlead's own keywords may say; see kinds/schema.ts. */
interface Keywords {
  type?: string;
  properties?: Record<string, TSchema>;
  required?: readonly string[];
  additionalProperties?: boolean | TSchema;
  patternProperties?: Record<string, TSchema>;
  propertyNames?: { pattern?: string };
  items?: TSchema;
  anyOf?: readonly TSchema[];
  enum?: readonly unknown[];
  const?: unknown;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
  'x-oneof'?: readonly (readonly string[])[];
  'x-minimum-duration'?: string;
}

const prepared = new WeakMap<TSchema, SchemaNode>();
const none: readonly never[] = [];
const noFields: ReadonlyMap<string, SchemaNode> = new Map();

/** Prepares a schema once. Keywords that are not known here are an error of the schema, so that no rule is lost in silence. */
export function schemaNode(schema: TSchema): SchemaNode {
  const known = prepared.get(schema);
  if (known !== undefined) return known;
  const keywords = schema as unknown as Keywords;
  for (const keyword of Object.keys(keywords)) if (!KNOWN.has(keyword)) throw new Error(`schema keyword ${keyword} is not supported`);
  const { additionalProperties, patternProperties } = keywords;
  const values = patternProperties
    ? Object.values(patternProperties)[0]
    : typeof additionalProperties === 'object'
      ? additionalProperties
      : undefined;
  const minimumMs = keywords['x-minimum-duration'] === undefined ? 0 : (parseDuration(keywords['x-minimum-duration']) ?? 0);
  const node: SchemaNode = {
    type: typeOf(keywords),
    properties: keywords.properties
      ? new Map(Object.entries(keywords.properties).map(([name, field]) => [name, schemaNode(field)]))
      : noFields,
    required: keywords.required ?? none,
    oneOf: keywords['x-oneof'] ?? none,
    closed: additionalProperties === false,
    values: values === undefined ? undefined : schemaNode(values),
    keyPattern: keywords.propertyNames?.pattern === undefined ? undefined : new RegExp(keywords.propertyNames.pattern, 'u'),
    items: keywords.items === undefined ? undefined : schemaNode(keywords.items),
    alternatives: keywords.anyOf?.map(schemaNode) ?? none,
    choices: keywords.enum ? new Set(keywords.enum) : keywords.const === undefined ? undefined : new Set([keywords.const]),
    minimum: keywords.minimum ?? keywords.minLength ?? keywords.minItems ?? keywords.minProperties,
    maximum: keywords.maximum ?? keywords.maxLength ?? keywords.maxItems ?? keywords.maxProperties,
    pattern: keywords.pattern === undefined ? undefined : new RegExp(keywords.pattern, 'u'),
    duration: keywords.format === 'duration' ? { minimumMs } : undefined,
  };
  prepared.set(schema, node);
  return node;
}

const KNOWN = new Set([
  ...['type', 'properties', 'required', 'additionalProperties', 'patternProperties', 'propertyNames', 'items', 'anyOf', 'enum', 'const'],
  ...['format', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'],
  ...['x-oneof', 'x-minimum-duration', 'x-deprecated-values', 'description', 'title', 'deprecated', 'default', 'examples'],
]);

function typeOf(keywords: Keywords): SchemaNode['type'] {
  if (keywords.anyOf) return 'union';
  if (keywords.enum || keywords.const !== undefined) return 'string';
  switch (keywords.type) {
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
    case 'array':
    case 'object':
      return keywords.type;
    case undefined:
      return 'any';
    default:
      throw new Error(`schema type ${keywords.type} is not supported`);
  }
}
